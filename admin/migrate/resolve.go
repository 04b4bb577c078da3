package migrate

import (
	"context"
	"fmt"
	"slices"

	"github.com/pycopg/pycopg/driver"
)

// Resolve says what became of a migration that stopped half-way ([ErrUnfinished]), after its database was looked at and
// repaired: it counts as applied, or as not applied. It runs none of its statements.
func Resolve(ctx context.Context, db Pool, version int64, applied bool, opts Options) error {
	ctx = driver.WithHelperOptions(ctx)
	s, err := open(ctx, db, opts)
	if err != nil {
		return err
	}
	defer s.close(ctx)
	rows, err := s.record.read(ctx, s.conn)
	if err != nil {
		return wrap(err)
	}
	i := slices.IndexFunc(rows, func(r row) bool { return r.version == version && r.unfinished != "" })
	if i < 0 {
		return fmt.Errorf("%w: version %d", ErrNotUnfinished, version)
	}
	if !applied {
		return wrap(s.record.remove(ctx, s.conn, version))
	}
	return wrap(s.record.mark(ctx, s.conn, version, ""))
}
