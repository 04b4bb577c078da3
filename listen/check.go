package listen

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// Notification is a message of LISTEN/NOTIFY.
type Notification = driver.Notification

var (
	// ErrChannel is the error for a name that no channel can have. The message names the rule.
	ErrChannel = errors.New("listen: not the name of a channel")

	// ErrPayload is the error for a payload that PostgreSQL does not take. The message names the rule.
	ErrPayload = errors.New("listen: not a payload")

	// ErrPooler is the error of listening through a pooler that gives each transaction another session
	// (pooler=transaction): the session that listens would not be this program's.
	ErrPooler = errors.New("LISTEN needs a session of its own, which a transaction pooler does not give: " +
		"connect to the server itself, or through a pool in session mode")

	// ErrStandby is the error of LISTEN and NOTIFY on a standby server, which can do neither.
	ErrStandby = errors.New("a standby server can neither LISTEN nor NOTIFY: " +
		"connect to the primary (target_session_attrs=primary)")
)

// maxPayload is the largest payload that the server takes, in bytes: one less than 8000.
const maxPayload = 7999

// checkChannel refuses what the server would refuse, or cut off so that it never matches.
func checkChannel(name string) error {
	if err := ext.CheckName(name); err != nil {
		return fmt.Errorf("%w: %q: %w", ErrChannel, name, err)
	}
	return nil
}

func checkChannels(names []string) error {
	for _, name := range names {
		if err := checkChannel(name); err != nil {
			return err
		}
	}
	return nil
}

func checkPayload(channel, payload string) error {
	var rule string
	switch {
	case len(payload) > maxPayload:
		rule = fmt.Sprintf("%d bytes: it must be shorter than 8000; store the data and send its key", len(payload))
	case strings.IndexByte(payload, 0) >= 0:
		rule = "a NUL byte: it must be text"
	case !utf8.ValidString(payload):
		rule = "invalid UTF-8: it must be text"
	default:
		return nil
	}
	return fmt.Errorf("%w: channel %q: %s", ErrPayload, channel, rule)
}

// checkServer refuses a connection on which one cannot listen.
func checkServer(c *driver.Conn) error {
	if c.Connector().Config().Pooler == driver.PoolerTransaction {
		return ErrPooler
	}
	return checkPrimary(c)
}

// checkPrimary refuses a standby server, as far as the server says by itself what it is (from version 14 on).
func checkPrimary(c *driver.Conn) error {
	if c.Parameter("in_hot_standby") == "on" {
		return ErrStandby
	}
	return nil
}
