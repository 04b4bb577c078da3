package listen

import (
	"context"
	sqldriver "database/sql/driver"
	"fmt"
	"io"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// listeningSQL lists what a session listens to.
const listeningSQL = "select pg_catalog.pg_listening_channels()"

// changeSQL is the text that begins and ends listening, one statement for each channel.
func changeSQL(listen, unlisten []string) string {
	var b strings.Builder
	for _, list := range []struct {
		verb  string
		names []string
	}{{"unlisten ", unlisten}, {"listen ", listen}} {
		for _, name := range list.names {
			if b.Len() > 0 {
				b.WriteString("; ")
			}
			b.WriteString(list.verb)
			b.WriteString(ext.QuoteName(name))
		}
	}
	return b.String()
}

// change begins and ends listening on c, in one round trip.
func change(ctx context.Context, c *driver.Conn, listen, unlisten []string) error {
	text := changeSQL(listen, unlisten)
	if text == "" {
		return nil
	}
	_, err := c.ExecContext(driver.WithQueryOptions(ctx, driver.QueryOptions{Simple: true}), text, nil)
	return asStandby(err)
}

// asStandby names the rule where only the server knew that it is a standby.
func asStandby(err error) error {
	const readOnly = "25006"
	if driver.SQLState(err) == readOnly {
		return fmt.Errorf("%w: %w", ErrStandby, err)
	}
	return err
}

// listening asks which channels the session of c listens to.
func listening(ctx context.Context, c *driver.Conn) (map[string]bool, error) {
	rows, err := c.QueryContext(ctx, listeningSQL, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names := map[string]bool{}
	row := make([]sqldriver.Value, 1)
	for {
		switch err := rows.Next(row); {
		case err == io.EOF:
			return names, rows.Close()
		case err != nil:
			return nil, err
		}
		name, _ := row[0].(string)
		names[name] = true
	}
}
