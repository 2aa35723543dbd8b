/* askance-prober: carries out orders. */
#include "active/prober/prober.h"

int main(void)
{
	return prober_run();
}
