package ext

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
)

// SetSession changes the options of the session that conn is in, as the context of [WithSession]'s function tells: all of
// them, those that are not set to the server's defaults. Inside a transaction it is [ErrInTransaction].
func SetSession(ctx context.Context, conn *sql.Conn, opts SessionOptions) error {
	s, ok := ctx.Value(connKey{conn}).(*session)
	if !ok {
		return errors.New("ext: set session: conn is not in a session of this context")
	}
	if err := s.set(ctx, opts); err != nil {
		return fmt.Errorf("ext: set session: %w", err)
	}
	return nil
}

// set puts the options into force. In manual commit they travel with each BEGIN and leave nothing on the server; otherwise
// they are settings of the server's session, which hold for single statements too.
func (s *session) set(ctx context.Context, opts SessionOptions) error {
	mode := driver.TxMode{Isolation: opts.Isolation, ReadOnly: opts.ReadOnly, Deferrable: opts.Deferrable}
	if _, err := mode.Clauses(); err != nil {
		return err
	}
	settings := opts.settings()
	if err := s.setManualCommit(ctx, nil, len(settings) > 0); err != nil {
		return err
	}
	if err := s.save(ctx, settings); err != nil {
		return err
	}
	if text := s.text(settings); text != "" {
		if _, err := s.conn.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if opts.ManualCommit {
		return s.setManualCommit(ctx, &mode, false)
	}
	return nil
}

// setManualCommit tells the driver. needsServer is whether the server's session gets settings.
func (s *session) setManualCommit(ctx context.Context, mode *driver.TxMode, needsServer bool) error {
	_, err := driver.Do(ctx, s.conn, "set session", func(ctx context.Context, c *driver.Conn) (int64, error) {
		if needsServer {
			if err := c.RequireSession("a session with characteristics and without ManualCommit"); err != nil {
				return 0, err
			}
		}
		return 0, c.SetManualCommit(mode)
	})
	return err
}

// settings are the server's settings for the options: those that SET SESSION CHARACTERISTICS changes.
func (o SessionOptions) settings() map[string]string {
	settings := make(map[string]string)
	if o.ManualCommit {
		return settings
	}
	if name, ok := isolationNames[o.Isolation]; ok {
		settings["default_transaction_isolation"] = name
	}
	if o.ReadOnly != nil {
		settings["default_transaction_read_only"] = strconv.FormatBool(*o.ReadOnly)
	}
	if o.Deferrable != nil {
		settings["default_transaction_deferrable"] = strconv.FormatBool(*o.Deferrable)
	}
	return settings
}

var isolationNames = map[sql.IsolationLevel]string{
	sql.LevelReadUncommitted: "read uncommitted", sql.LevelReadCommitted: "read committed",
	sql.LevelRepeatableRead: "repeatable read", sql.LevelSnapshot: "repeatable read", sql.LevelSerializable: "serializable",
}

// save remembers what the settings were, "" for what was never SET: RESET brings that back, and lets it follow the server's
// configuration as before.
func (s *session) save(ctx context.Context, settings map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, ok := s.saved[name]; ok {
			continue
		}
		var before string
		err := s.conn.QueryRowContext(native(ctx), `
select case source when 'session' then setting else '' end
  from pg_catalog.pg_settings
 where name = $1`, name).Scan(&before)
		if err != nil {
			return err
		}
		if s.saved == nil {
			s.saved = make(map[string]string)
		}
		s.saved[name] = before
	}
	return nil
}

// text is the SQL text that makes the settings so, and sets all others that the session has changed back.
func (s *session) text(settings map[string]string) string {
	var statements []string
	for _, name := range slices.Sorted(maps.Keys(s.saved)) {
		value, ok := settings[name]
		if !ok {
			value = s.saved[name]
		}
		if value == "" {
			statements = append(statements, "reset "+name)
		} else {
			statements = append(statements, "set "+name+" to '"+value+"'") // an isolation level or a truth value
		}
	}
	return strings.Join(statements, "; ")
}

// restore takes the session's settings off the server's.
func (s *session) restore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	_, err := s.conn.ExecContext(ctx, s.text(nil))
	return err
}
