/* askance-console: the analysts' page. */
#include "sensor/console/console.h"

int main(void)
{
	return console_run();
}
