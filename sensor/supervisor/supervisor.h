/* The supervisor: starts the sensor's processes, starts them again, ends them in order. */
#ifndef SENSOR_SUPERVISOR_SUPERVISOR_H
#define SENSOR_SUPERVISOR_SUPERVISOR_H

enum supervisor_exit {
	SUPERVISOR_ENDED = 0,  /* was told to end, and did so cleanly */
	SUPERVISOR_FAILED = 1, /* a process could not be kept alive, or had to be ended by force */
	SUPERVISOR_WRONG = 2,  /* the configuration or the rights are wrong */
};

/*
 * Runs the sensor of that configuration file until SIGTERM or SIGINT. SIGHUP loads the rules again,
 * SIGUSR1 stops all probing until the next start.
 */
int supervisor_run(const char *config_path);

#endif
