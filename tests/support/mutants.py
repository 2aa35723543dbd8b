"""Finds what decides something in a C file, and writes the file anew with all its mutants in it, of which `mutant_chosen` takes one.

A mutant is one condition negated, one dropped, one `<` with `<=`, or one `==` with `!=`. That all of a file are compiled at once
is what makes it affordable to judge every one.
"""
import os
import re

TOKEN = re.compile(r"""(?P<skip>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)
    |"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\w+|->|<<=|>>=|<<|>>|[<>=!+\-*/%&|^]=|&&|\|\||\+\+|--|.""", re.X | re.S | re.M)
OPEN, CLOSE = "([{", ")]}"
EDGES = {"&&", "||", "?", ":", ",", ";", "return", "=", "+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "<<=", ">>="}
EQUALITIES = {"==": "!=", "!=": "=="}
RELATIONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


class Mutant:
    """What stands in `text` from begin to end, with `instead` in its place; `site` is where the rewritten file decides it."""

    def __init__(self, file, text, begin, end, instead, what, site):
        self.file, self.begin, self.end, self.instead, self.site = file, begin, end, instead, site
        self.what = " ".join(what.split())
        self.number = text.count("\n", 0, begin) + 1
        self.line = " ".join(text.splitlines()[self.number - 1].split())
        site.mutants.append(self)

    def key(self):
        return self.file, self.line, self.what

    def place(self):
        return f"{self.file}:{self.number}: {self.what}"


class Site:
    """A condition (operator None), or an equality or a relation with its operator's place, and the mutants of it."""

    def __init__(self, begin, end, operator=None):
        self.begin, self.end, self.operator = begin, end, operator
        self.mutants = []


def find_ends(tokens):
    """For each bracket the index of its partner."""
    partner, stack = {}, []
    for i, (word, _, _) in enumerate(tokens):
        if word in OPEN:
            stack.append(i)
        elif word in CLOSE:
            start = stack.pop()
            partner[start], partner[i] = i, start
    return partner


def term_from(tokens, partner, i, step):
    """The last token of the operand beside the operator at i, in the direction of step."""
    stop = CLOSE if step > 0 else OPEN
    while 0 <= i + step < len(tokens):
        word = tokens[i + step][0]
        if word in EDGES or word in stop:
            break
        i = partner[i + step] if word in (OPEN if step > 0 else CLOSE) else i + step
    return i


def find_conditions(tokens, partner):
    """Ranges of tokens that decide something, each with what stands for it when it is dropped."""
    found = {}
    for i, (word, _, _) in enumerate(tokens):
        if word in ("&&", "||"):
            for first, last in ((term_from(tokens, partner, i, -1), i - 1), (i + 1, term_from(tokens, partner, i, 1))):
                if word == "&&" or (first, last) not in found:
                    found[first, last] = "1" if word == "&&" else "0"
        elif word == "?":
            found.setdefault((term_from(tokens, partner, i, -1), i - 1), None)
        elif word in ("if", "while") and tokens[i + 1][0] == "(":
            found.setdefault((i + 2, partner[i + 1] - 1), "0")
        elif word == "for":
            ends = [n for n in range(i + 2, partner[i + 1]) if tokens[n][0] == ";"]
            if ends[1] > ends[0] + 1:
                found.setdefault((ends[0] + 1, ends[1] - 1), "0")
    # Of "a && b" in brackets of an if, the parts are enough.
    whole = {(a, b) for a, b in found for n in range(a, b + 1) if tokens[n][0] in ("&&", "||") and term_from(tokens, partner, n, -1) == a}
    return {r: drop for r, drop in found.items() if r not in whole}


def find_mutants(top, file):
    """The mutants of a file, whose path is relative to top."""
    with open(os.path.join(top, file), encoding="utf-8") as source:
        text = source.read()
    tokens = [(m.group(), m.start(), m.end()) for m in TOKEN.finditer(text) if not m.group("skip")]
    partner = find_ends(tokens)
    conditions = find_conditions(tokens, partner)
    for (first, last), drop in conditions.items():
        begin, end = tokens[first][1], tokens[last][2]
        old, site = text[begin:end], Site(begin, end)
        yield Mutant(file, text, begin, end, f"!({old})", f"not {old}", site)
        if drop is not None:
            yield Mutant(file, text, begin, end, drop, f"without {old}", site)
    for i, (word, begin, end) in enumerate(tokens):
        other = RELATIONS.get(word) or EQUALITIES.get(word)
        if not other or (word in EQUALITIES and any(first <= i <= last for first, last in conditions)):
            continue
        around = " ".join(t[0] for t in tokens[i - 1:i + 2])
        site = Site(tokens[term_from(tokens, partner, i, -1)][1], tokens[term_from(tokens, partner, i, 1)][2], (begin, end))
        yield Mutant(file, text, begin, end, other, f"{around} with {other}", site)


def rewrite(text, mutants):
    """The text with all mutants in it: those whose number, counted from 1, is not `mutant_chosen` leave it as it was."""
    numbers = {m: n for n, m in enumerate(mutants, 1)}
    sites = list(dict.fromkeys(m.site for m in mutants))
    # The outer of two comes first; of two with the same ends the condition is around the comparison.
    sites.sort(key=lambda s: (s.begin, -s.end, s.operator is not None))
    rest = list(sites)

    def text_of(begin, end):
        done = ""
        while rest and rest[0].begin < end:
            site = rest.pop(0)
            if site.begin < begin or site.end > end:
                raise ValueError(f"overlapping conditions at {site.begin}")
            done += text[begin:site.begin] + decide(site)
            begin = site.end
        return done + text[begin:end]

    def decide(site):
        chosen = [f"(mutant_chosen == {numbers[m]})" for m in site.mutants]
        if site.operator is None:
            choice = f"{chosen[0]} != !!({text_of(site.begin, site.end)})"
            return f"({chosen[1]} ? {site.mutants[1].instead} : {choice})" if len(chosen) > 1 else f"({choice})"
        begin, end = site.operator
        if text[begin:end] in EQUALITIES:
            return f"({chosen[0]} != ({text_of(site.begin, site.end)}))"
        # Each side is worked out once; "+ 0" makes of a bit field what has a type.
        left, right, word = text_of(site.begin, begin), text_of(end, site.end), text[begin:end]
        return (f"({{ __auto_type mutant_l = ({left}) + 0; __auto_type mutant_r = ({right}) + 0; "
                f"{chosen[0]} ? mutant_l {RELATIONS[word]} mutant_r : mutant_l {word} mutant_r; }})")

    return "extern int mutant_chosen; " + text_of(0, len(text))


def changed(text, mutant):
    """The text with this one mutant."""
    return text[:mutant.begin] + mutant.instead + text[mutant.end:]
