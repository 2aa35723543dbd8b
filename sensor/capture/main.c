/* askance-capture: hears, and hands on. */
#include "sensor/capture/capture.h"

int main(void)
{
	return capture_run();
}
