/* Connections and their times: whoever does not come to the point makes room for others. */
#ifndef SENSOR_CONSOLE_VISITORS_H
#define SENSOR_CONSOLE_VISITORS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

enum { VISITOR_TEXT_BYTES = 64 };

void visitor_come(struct MHD_Connection *c, void **own, uint64_t now_ms);
void visitor_go(void **own);

/* Its request is complete. */
void visitor_asked(struct MHD_Connection *c);
/* The answer has no end. */
void visitor_stays(struct MHD_Connection *c);
/* The answer is sent. Gives its address, and whether this was its first request. */
bool visitor_answered(struct MHD_Connection *c, char where[VISITOR_TEXT_BYTES]);

/* Ends the connections whose time is over. Call it every second or so. */
void visitors_look(uint64_t now_ms);

#endif
