package driver

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// bare takes the innermost part of pgconn's error: its ConnectError holds the password, and its text repeats host and
// user, which a ConnectAttempt has already.
func bare(err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) {
		return pgErr
	}
	var ce *pgconn.ConnectError
	if !errors.As(err, &ce) {
		return err
	}
	inner := ce.Unwrap()
	for {
		if many, ok := inner.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) == 1 {
			inner = many.Unwrap()[0]
			continue
		}
		// One more layer says where pgconn dialled.
		if next := errors.Unwrap(inner); next != nil && strings.HasSuffix(inner.Error(), next.Error()) {
			return next
		}
		return inner
	}
}

// explain adds what the user can do about some refusals.
func explain(err error, hook *Attempt, note, param string) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	switch {
	case param != "":
		return fmt.Errorf("%w (start-up parameter %s was refused; startup_optional=%s leaves it out)", err, param, param)
	case !strings.HasPrefix(pgErr.Code, "28") || hook.Password != "" || hook.Token != "":
		return err
	case note != "":
		return fmt.Errorf("%w (no password was given: %s)", err, note)
	case pgErr.Code == "28P01":
		return fmt.Errorf("%w (no password was given and none found in the password file)", err)
	}
	return err
}

// refusedParam is the run-time parameter that the server's refusal names, "" for any other error.
func refusedParam(err error, params map[string]string) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return ""
	}
	switch pgErr.Code {
	case "08P01", "42704", "22023", "42501": // PgBouncer; unknown, wrong value, not allowed
	default:
		return ""
	}
	words := strings.FieldsFunc(strings.ToLower(pgErr.Message), func(r rune) bool {
		return !(r == '_' || r == '.' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	})
	for name := range params {
		for _, w := range words {
			if w == strings.ToLower(name) {
				return name
			}
		}
	}
	return ""
}

func orError(first, second error) error {
	if first != nil {
		return first
	}
	return second
}
