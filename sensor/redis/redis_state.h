/* What Redis's refusals mean, told apart so that each can be answered with what to do about it. */
#ifndef SENSOR_REDIS_REDIS_STATE_H
#define SENSOR_REDIS_REDIS_STATE_H

enum redis_state {
	REDIS_OFF,         /* none is configured */
	REDIS_CONNECTING,  /* at the start only */
	REDIS_STREAMING,   /* all is well */
	REDIS_UNREACHABLE, /* nobody listens there */
	REDIS_LOST,        /* the connection ended */
	REDIS_TIMEOUT,     /* no answer in time */
	REDIS_LOGIN,       /* WRONGPASS, NOAUTH, or a wrong database */
	REDIS_NOPERM,      /* the user may not do what the sensor needs */
	REDIS_LOADING,     /* it reads its data */
	REDIS_READONLY,    /* it is a replica */
	REDIS_OOM,         /* its memory is full */
	REDIS_MISCONF,     /* it can't save, or lacks the replicas it wants */
	REDIS_MOVED,       /* a cluster's node that doesn't own our keys */
	REDIS_NO_MASTER,   /* a replica without a master, which answers nothing */
	REDIS_TAKEN,       /* another sensor of this name writes there */
	REDIS_WRONGTYPE,   /* a key of ours is something else */
	REDIS_POISONED,    /* the stream's last ID leaves no room for ours */
	REDIS_REFUSED,     /* anything else */
	REDIS_STATES
};

/* The state that an error reply or an error of the transaction stands for. */
enum redis_state redis_state_of_error(const char *error);

/* Its name in the health document, and a sentence on what to do ("" when there is nothing). */
const char *redis_state_name(enum redis_state state);
const char *redis_state_advice(enum redis_state state);

#endif
