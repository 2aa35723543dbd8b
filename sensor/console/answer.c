/* Makes answers of texts, for browsers that may come from anywhere. */
#include "sensor/console/answer.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { WORTH_BYTES = 1024, SENTENCE_BYTES = 512, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

/* Nothing from elsewhere, nothing inline, nobody's frame: what a device calls itself stays a text. */
static const char policy[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'";

void answer_guard(struct MHD_Response *r)
{
	static const char *const head[][2] = {
		{ "Content-Security-Policy", policy },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
	};

	for (size_t i = 0; i < sizeof head / sizeof *head; i++)
		MHD_add_response_header(r, head[i][0], head[i][1]);
}

char *answer_compress(const char *text, size_t len, size_t *packed)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)text, .avail_in = (uInt)len };
	char *out = len > WORTH_BYTES && len < UINT32_MAX ? malloc(len) : NULL;
	int end = Z_BUF_ERROR;

	if (!out || deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(out);
		return NULL;
	}
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)len;
	end = deflate(&z, Z_FINISH);
	*packed = z.total_out;
	deflateEnd(&z);
	if (end == Z_STREAM_END)
		return out;
	free(out);
	return NULL;
}

static struct MHD_Response *make_response(char *text, size_t len)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(len, text, MHD_RESPMEM_MUST_FREE);

	if (!r)
		free(text);
	return r;
}

struct answer answer_json(unsigned status, char *text, size_t len, bool gzip)
{
	struct answer a = { NULL, status };
	size_t packed_len = 0;
	char *packed = gzip && text ? answer_compress(text, len, &packed_len) : NULL;

	if (packed) {
		free(text);
		a.response = make_response(packed, packed_len);
	} else if (text) {
		a.response = make_response(text, len);
	}
	if (!a.response)
		return a;
	answer_guard(a.response);
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json; charset=utf-8");
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	if (packed)
		MHD_add_response_header(a.response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	return a;
}

struct answer answer_error(unsigned status, const char *format, ...)
{
	char sentence[SENTENCE_BYTES], *text;
	json_t *body;
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof sentence, format, args);
	va_end(args);
	/* What is no UTF-8, or was cut within a letter, is not repeated. */
	body = json_pack("{s:s}", "error", sentence);
	if (!body)
		body = json_pack("{s:s}", "error", "the request can't be answered");
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	return answer_json(status, text, text ? strlen(text) : 0, false);
}
