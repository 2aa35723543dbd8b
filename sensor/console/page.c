/* Serves the files of the page from memory; a browser that has them is told so. */
#include "sensor/console/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { FILES_MOST = 16, TAG_BYTES = 40 };

static struct {
	char *bytes;
	size_t len;
	char tag[TAG_BYTES]; /* of the contents */
} packed[FILES_MOST];

bool page_open(void)
{
	for (size_t i = 0; i < FILES_MOST && page_files[i].path; i++) {
		size_t len = (size_t)(page_files[i].end - page_files[i].bytes);

		packed[i].bytes = answer_compress((const char *)page_files[i].bytes, len, &packed[i].len);
		snprintf(packed[i].tag, sizeof packed[i].tag, "\"%08lx%08lx-%zx\"", crc32(0, page_files[i].bytes, (uInt)len),
			 adler32(1, page_files[i].bytes, (uInt)len), len);
	}
	return page_files[0].path != NULL;
}

static struct answer give(const struct page_file *f, size_t at, const char *known, bool gzip)
{
	struct answer a = { NULL, MHD_HTTP_OK };
	const char *bytes = (const char *)f->bytes;
	size_t len = (size_t)(f->end - f->bytes);

	if (known && strcmp(known, packed[at].tag) == 0) {
		a.status = MHD_HTTP_NOT_MODIFIED;
		len = 0;
	} else if (gzip && packed[at].bytes) {
		bytes = packed[at].bytes;
		len = packed[at].len;
	}
	a.response = MHD_create_response_from_buffer(len, (void *)(uintptr_t)bytes, MHD_RESPMEM_PERSISTENT);
	if (!a.response)
		return a;
	answer_guard(a.response);
	if (bytes == packed[at].bytes)
		MHD_add_response_header(a.response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_CONTENT_TYPE, f->type);
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_ETAG, packed[at].tag);
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
	MHD_add_response_header(a.response, MHD_HTTP_HEADER_VARY, "Accept-Encoding");
	return a;
}

struct answer page_answer(struct MHD_Connection *c, const char *path, const char *method, bool gzip)
{
	const char *known = MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH);

	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (size_t i = 0; i < FILES_MOST && page_files[i].path; i++) {
		if (strcmp(page_files[i].path, path) != 0)
			continue;
		if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
			return answer_error(MHD_HTTP_METHOD_NOT_ALLOWED, "this path takes GET");
		return give(&page_files[i], i, known, gzip);
	}
	return answer_error(MHD_HTTP_NOT_FOUND, "there is no such path");
}
