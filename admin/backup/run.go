package backup

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"github.com/pycopg/pycopg/ext"
)

// cleanupTime bounds what has to happen after the caller's context has ended.
const cleanupTime = 5 * time.Second

// run runs a program with these settings. When it is ended ahead of its time, so are its sessions on the server.
func (s *settings) run(ctx context.Context, p process) error {
	dir, err := os.MkdirTemp("", "pycopg-backup-") // that only this user can enter
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer os.RemoveAll(dir)
	application := "pycopg " + p.tool.Name + " " + rand.Text()[:8]
	if p.env, err = s.environment(dir, application, p.tool); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	p.secrets = s.secrets()
	succeeded := false
	defer func() { // also when progress panics
		if !succeeded {
			s.endSessions(ctx, application)
		}
	}()
	err = p.run(ctx)
	succeeded = err == nil
	return err
}

// endSessions ends what sessions a program has left: the server learns late that a client has gone. It is an attempt, on a
// connection of its own: the server may have no room for it.
func (s *settings) endSessions(ctx context.Context, application string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	c, err := s.connector.Dial(ctx)
	if err != nil {
		return
	}
	defer c.Close()
	ext.Catalog(ctx, c, "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where application_name = $1", application)
}
