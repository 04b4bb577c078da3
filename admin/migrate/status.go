package migrate

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
	"github.com/pycopg/pycopg/internal/nilhandle"
)

// State is what became of a migration.
type State struct {
	Version    int64
	Name       string
	Applied    bool
	AppliedAt  time.Time // zero where it is not applied
	Changed    bool      // the up section is not the one that was applied
	Missing    bool      // it is applied, and its files are not there
	Unfinished string    // where a migration without a transaction has stopped: "up, statement 2 of 3"
	HasDown    bool      // there is a way back
}

// Status compares files and record, in the order of the numbers. It changes nothing, waits for no run, and works where
// nothing has been applied yet.
func Status(ctx context.Context, q ext.Querier, fsys fs.FS, opts Options) ([]State, error) {
	migrations, err := Load(fsys)
	if err != nil {
		return nil, err
	}
	applied, err := readRecord(driver.WithHelperOptions(ctx), q, opts)
	if err != nil {
		return nil, err
	}
	states := make(map[int64]*State)
	for _, m := range migrations {
		states[m.Version] = &State{Version: m.Version, Name: m.Name, HasDown: m.Down.SQL != ""}
	}
	p := plan{migrations: migrations}
	for _, r := range applied {
		m, ok := p.find(r.version)
		if !ok {
			states[r.version] = &State{Version: r.version, Name: r.name, Missing: true}
		}
		s := states[r.version]
		s.Applied, s.AppliedAt, s.Unfinished = true, r.appliedAt, r.unfinished
		s.Changed = ok && r.checksum != "" && r.checksum != m.Checksum()
	}
	list := make([]State, 0, len(states))
	for _, s := range states {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b State) int { return cmp.Compare(a.Version, b.Version) })
	return list, nil
}

// readRecord reads the record where there is one.
func readRecord(ctx context.Context, q ext.Querier, opts Options) ([]row, error) {
	name, err := recordName(opts)
	if err != nil {
		return nil, err
	}
	r := record{table: name}
	if err := nilhandle.Check(q); err != nil {
		return nil, wrap(err)
	}
	columns, err := r.columns(ctx, q)
	if err == nil && columns != "" {
		err = r.check(columns)
	}
	if err != nil || columns == "" {
		return nil, wrap(err)
	}
	rows, err := r.read(ctx, q)
	return rows, wrap(err)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("migrate: %w", err)
}
