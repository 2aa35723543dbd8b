"""The capture keeps 96 bytes of each frame. The wrong answer would be devices missing, values that end in the middle of a word as if
they ended there, or a connection that never goes on behind a cut segment."""
from wire import plant as frames

SNAPLEN = 96
