/* askance-supervisor: started by `askance run`. */
#include "sensor/supervisor/supervisor.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	if (argc != 3 || strcmp(argv[1], "--config") != 0) {
		fprintf(stderr, "usage: askance-supervisor --config FILE\n");
		return SUPERVISOR_WRONG;
	}
	return supervisor_run(argv[2]);
}
