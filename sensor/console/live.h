/* Pages that listen: events as the stream has them, sent as they come. */
#ifndef SENSOR_CONSOLE_LIVE_H
#define SENSOR_CONSOLE_LIVE_H

struct sensor;

/* There is something new of this sensor. */
void live_news(struct sensor *s);
/* Once a second. */
void live_tick(void);
/* Ends all of them. */
void live_stop(void);

#endif
