package migrate

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// Options are those of a run. The zero value is what most programs want.
type Options struct {
	// Table records what was applied: a name as ext.ParseName takes it, "schema_migrations" where it is empty. Programs that
	// share a database, and not their migrations, need one each.
	Table string

	AllowOutOfOrder bool // apply a migration behind one of a higher number
	AllowChanged    bool // accept applied migrations whose files have changed since

	// OnStart is called ahead of each migration. The run waits for it.
	OnStart func(Step)
}

// Step is a migration that was applied or taken back.
type Step struct {
	Version int64
	Name    string
	Down    bool
	Took    time.Duration
}

// String is "up 001_create_users" or "down 001_create_users".
func (s Step) String() string { return s.direction() + " " + label(s.Version, s.Name) }

func (s Step) direction() string {
	if s.Down {
		return "down"
	}
	return "up"
}

// Up applies all migrations that the record does not have, and returns them, also ahead of an error, which is an *[Error] where
// a migration failed. Migrations that the record has and the files do not are left alone: they are of a newer program.
//
// It waits for other runs on the database as long as ctx lasts.
func Up(ctx context.Context, db Pool, fsys fs.FS, opts Options) ([]Step, error) {
	return run(ctx, db, fsys, opts, func(p *plan) ([]todo, error) { return p.up(p.last()) })
}

// To applies all migrations up to a version and takes back those above it, the highest first. The version need not be that
// of a migration: 0 is the way back to before the first one, where that is 1 or more.
func To(ctx context.Context, db Pool, fsys fs.FS, version int64, opts Options) ([]Step, error) {
	return run(ctx, db, fsys, opts, func(p *plan) ([]todo, error) {
		down, err := p.down(func(applied int64, _ int) bool { return applied > version })
		if err != nil {
			return nil, err
		}
		up, err := p.up(version)
		return append(down, up...), err
	})
}

// Down takes the last migrations back, the highest number first, and returns them. Where one of them has no way back,
// nothing is done.
func Down(ctx context.Context, db Pool, fsys fs.FS, steps int, opts Options) ([]Step, error) {
	if steps < 0 {
		return nil, fmt.Errorf("migrate: %d steps down", steps)
	}
	return run(ctx, db, fsys, opts, func(p *plan) ([]todo, error) {
		return p.down(func(_ int64, nth int) bool { return nth < steps })
	})
}

// run does, on one connection and under the lock, what decide finds to do.
func run(ctx context.Context, db Pool, fsys fs.FS, opts Options, decide func(*plan) ([]todo, error)) (steps []Step, err error) {
	migrations, err := Load(fsys)
	if err != nil {
		return nil, err
	}
	ctx = driver.WithHelperOptions(ctx)
	s, err := open(ctx, db, opts)
	if err != nil {
		return nil, err
	}
	defer s.close(ctx)
	applied, err := s.record.read(ctx, s.conn)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	p := &plan{migrations: migrations, applied: applied, opts: opts}
	if err := p.check(); err != nil {
		return nil, err
	}
	work, err := decide(p)
	if err != nil {
		return nil, err
	}
	if err := s.record.fill(ctx, s.conn, p.unchecked()); err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return s.do(ctx, work)
}

// do does the work, in a session as the pool gives it for each migration.
func (s *session) do(ctx context.Context, work []todo) (steps []Step, err error) {
	before, err := s.settings(ctx)
	if err != nil {
		return nil, err
	}
	for i, t := range work {
		if i > 0 {
			if err := s.restore(ctx, before); err != nil {
				return steps, err
			}
		}
		step := Step{Version: t.Version, Name: t.Name, Down: t.down}
		if s.opts.OnStart != nil {
			s.opts.OnStart(step)
		}
		start := time.Now()
		if err := s.apply(ctx, t); err != nil {
			err.Step = step
			return steps, err
		}
		step.Took = time.Since(start)
		steps = append(steps, step)
	}
	return steps, nil
}

// plan compares files and record.
type plan struct {
	migrations []Migration
	applied    []row // by version
	opts       Options
}

// todo is a migration to apply or to take back.
type todo struct {
	Migration
	down bool
}

func (t todo) section() Section {
	if t.down {
		return t.Down
	}
	return t.Up
}

func (p *plan) last() int64 {
	if len(p.migrations) == 0 {
		return 0
	}
	return p.migrations[len(p.migrations)-1].Version
}

func (p *plan) find(version int64) (Migration, bool) {
	i := slices.IndexFunc(p.migrations, func(m Migration) bool { return m.Version == version })
	if i < 0 {
		return Migration{}, false
	}
	return p.migrations[i], true
}

// check refuses to go on from an unfinished migration or from changed ones.
func (p *plan) check() error {
	for _, r := range p.applied {
		if r.unfinished != "" {
			return fmt.Errorf("migrate: %w: %s stopped at %s", ErrUnfinished, label(r.version, r.name), r.unfinished)
		}
		m, ok := p.find(r.version)
		if ok && r.checksum != "" && r.checksum != m.Checksum() && !p.opts.AllowChanged {
			return fmt.Errorf("%w: %s (%s) since %s", ErrChanged, m, m.Up.File, r.appliedAt.Format(time.RFC3339))
		}
	}
	return nil
}

// unchecked are the applied migrations whose checksum the record lacks, or, where changes are allowed, has wrong.
func (p *plan) unchecked() (found []Migration) {
	for _, r := range p.applied {
		if m, ok := p.find(r.version); ok && r.checksum != m.Checksum() {
			found = append(found, m)
		}
	}
	return found
}

// up is what is not applied, to a version.
func (p *plan) up(version int64) (work []todo, err error) {
	highest := row{version: -1}
	for _, r := range p.applied {
		if r.version <= version { // what is above is taken back first
			highest = r
		}
	}
	for _, m := range p.migrations {
		switch {
		case m.Version > version || slices.ContainsFunc(p.applied, func(r row) bool { return r.version == m.Version }):
			continue
		case m.Version < highest.version && !p.opts.AllowOutOfOrder:
			return nil, fmt.Errorf("%w: %s is new, and %s is applied already", ErrOutOfOrder, m, label(highest.version, highest.name))
		}
		work = append(work, todo{Migration: m})
	}
	return work, nil
}

// down is what is applied, from the highest on, as long as wanted says so.
func (p *plan) down(wanted func(version int64, nth int) bool) (work []todo, err error) {
	for nth, r := range slices.Backward(p.applied) {
		if !wanted(r.version, len(p.applied)-1-nth) {
			break
		}
		m, ok := p.find(r.version)
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: %s: its files are not there", ErrNoDown, label(r.version, r.name))
		case m.Down.SQL == "":
			return nil, fmt.Errorf("%w: %s", ErrNoDown, m.Up.File)
		}
		work = append(work, todo{Migration: m, down: true})
	}
	return work, nil
}
