package ext

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// SQLSTATEs that the transactions act on.
const (
	inFailedTransaction  = "25P02"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	undefinedObject      = "42704"
	notInPrerequisite    = "55000"
)

const (
	retryDelay    = 20 * time.Millisecond
	maxRetryDelay = 2 * time.Second
)

// retried runs run until it succeeds, fails for good, or has run often enough.
func retried(ctx context.Context, opts TxOptions, run func() (mayRetry bool, err error)) error {
	for left := opts.Retry; ; left-- {
		mayRetry, err := run()
		if left <= 0 || !mayRetry || !isConflict(err) {
			return err
		}
		if !pause(ctx, jitter(opts.RetryDelay, opts.Retry-left)) {
			return alongside(ctx, err)
		}
	}
}

// isConflict reports whether a transaction failed only because of what others did at the same time, and had no effect.
func isConflict(err error) bool {
	return hasState(err, serializationFailure, deadlockDetected) && !errors.Is(err, driver.ErrCommitUnknown)
}

// jitter is the pause before the next run, when there have been so many already.
func jitter(first time.Duration, retries int) time.Duration {
	if first <= 0 {
		first = retryDelay
	}
	longest := max(first, maxRetryDelay)
	for range retries {
		first = min(2*first, longest)
	}
	return rand.N(first + 1)
}

// pause waits, and reports whether ctx let it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// hasState reports whether any error in err's tree has one of the SQLSTATEs.
func hasState(err error, states ...string) bool {
	switch e := err.(type) {
	case nil:
		return false
	case interface{ SQLState() string }:
		if slices.Contains(states, e.SQLState()) {
			return true
		}
	}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		return hasState(e.Unwrap(), states...)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), func(err error) bool { return hasState(err, states...) })
	}
	return false
}
