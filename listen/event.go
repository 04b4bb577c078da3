package listen

import (
	"errors"
	"fmt"
	"time"
)

// Event is what a [Subscription] gets: a notification, or the news that some may be missing.
type Event struct {
	Notification
	Received time.Time // when it reached the program
	Gap      *Gap      // nil for a notification, and everything else is zero when it is not
}

// String is that of the notification or the gap.
func (e Event) String() string {
	if e.Gap != nil {
		return e.Gap.String()
	}
	return e.Notification.String()
}

// Gap says that notifications may be missing between the events ahead of it and those behind it: all of them were
// committed at Since or later and at Until or earlier, by this program's clock. What was committed outside of that
// time was or will be delivered. A few of the time between may have been delivered as well, ahead of the gap.
type Gap struct {
	Since time.Time // zero: since ever
	Until time.Time
	Err   error // why: the loss of the connection, or ErrOverflow
}

// String is like "gap from 12:30:00.000 to 12:30:01.500: connection lost".
func (g Gap) String() string {
	const clock = "15:04:05.000"
	return fmt.Sprintf("gap from %s to %s: %v", g.Since.Format(clock), g.Until.Format(clock), g.Err)
}

// merge makes g cover o, too.
func (g *Gap) merge(o Gap) {
	if o.Since.Before(g.Since) {
		g.Since = o.Since
	}
	if o.Until.After(g.Until) {
		g.Until = o.Until
	}
	if g.Err == nil || !errors.Is(g.Err, o.Err) {
		g.Err = o.Err
	}
}

// ErrOverflow is the reason of a [Gap] in place of the notifications that a slow subscriber had no room for.
var ErrOverflow = errors.New("listen: the subscriber was too slow, notifications were dropped")
