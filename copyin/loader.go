package copyin

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// loader is a load under way.
type loader struct {
	db      *sql.DB
	options LoadOptions
	table   ext.Name
	merge   *merge      // nil without OnConflict
	ledger  *ledger     // nil without ImportID
	rejects *rejectFile // nil without RejectFile
	log     *slog.Logger

	batches chan *batch
	spare   chan []byte // buffers of batches that are stored
	last    *batch      // that was handed out
	taken   int64       // rows of the input that were handed out, or passed over
	begun   time.Time
	total   int64 // bytes that the source will give, 0 where that is not known

	mu     sync.Mutex
	result LoadResult
	moved  int64 // bytes of Result.Bytes that were resumed
}

func newLoader(db *sql.DB, table string, o LoadOptions) (l *loader, err error) {
	l = &loader{db: db, options: o, log: o.Logger}
	if l.table, err = ext.ParseName(table); err != nil {
		return l, err
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if err := l.options.check(); err != nil {
		return l, err
	}
	l.options.fill(db.Stats().MaxOpenConnections)
	if o.OnConflict != ConflictBad {
		l.merge = &merge{table: l.table, options: &l.options}
	}
	if o.ImportID != "" {
		l.ledger, err = newLedger(db, l.table, &l.options)
	}
	return l, err
}

// check refuses options that mean nothing.
func (o *LoadOptions) check() error {
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"Workers", int64(o.Workers)},
		{"BatchRows", int64(o.BatchRows)},
		{"BatchBytes", int64(o.BatchBytes)},
		{"Limit", o.Limit},
		{"MaxBad", o.MaxBad},
		{"RetryDelay", int64(o.RetryDelay)},
		{"ProgressEvery", int64(o.ProgressEvery)},
		{"ExpectedRows", o.ExpectedRows},
	} {
		if n.value < 0 {
			return fmt.Errorf("%s is %d", n.name, n.value)
		}
	}
	switch {
	case o.OnBad < BadStop || o.OnBad > BadCollect:
		return fmt.Errorf("OnBad is %d", o.OnBad)
	case o.OnConflict < ConflictBad || o.OnConflict > ConflictUpdate:
		return fmt.Errorf("OnConflict is %d", o.OnConflict)
	case o.OnBad == BadStop && (o.RejectFile != "" || o.MaxBad > 0):
		return fmt.Errorf("a RejectFile and MaxBad need BadSkip or BadCollect")
	case o.OnConflict == ConflictBad && o.ConflictColumns != nil:
		return fmt.Errorf("the ConflictColumns need ConflictNothing or ConflictUpdate")
	case o.OnConflict != ConflictUpdate && o.UpdateColumns != nil:
		return fmt.Errorf("the UpdateColumns need ConflictUpdate")
	case o.Ledger != "" && o.ImportID == "":
		return fmt.Errorf("the Ledger needs an ImportID")
	}
	if err := checkColumns(o.ConflictColumns); err != nil {
		return fmt.Errorf("ConflictColumns: %w", err)
	}
	if err := checkColumns(o.UpdateColumns); err != nil {
		return fmt.Errorf("UpdateColumns: %w", err)
	}
	return nil
}

// fill puts the defaults in. A pool of fewer connections needs no more workers.
func (o *LoadOptions) fill(connections int) {
	for _, d := range []struct {
		to    *int
		value int
	}{{&o.Workers, min(runtime.GOMAXPROCS(0), maxWorkers)}, {&o.BatchRows, defaultBatchRows}, {&o.BatchBytes, defaultBatchBytes}, {&o.Retries, defaultRetries}} {
		if *d.to == 0 {
			*d.to = d.value
		}
	}
	if connections > 0 {
		o.Workers = min(o.Workers, connections)
	}
	if o.RetryDelay == 0 {
		o.RetryDelay = defaultRetryDelay
	}
	if o.ProgressEvery == 0 {
		o.ProgressEvery = time.Second
	}
}

// longest is how long a row may be.
func (l *loader) longest() int { return max(l.options.BatchBytes, longestRow) }

// run loads the source.
func (l *loader) run(ctx context.Context, src Source) (err error) {
	l.begun = time.Now()
	defer func() {
		l.result.Elapsed = time.Since(l.begun)
		slices.SortStableFunc(l.result.Rejects, func(a, b Rejected) int { // workers are not in step
			return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Err.Row, b.Err.Row))
		})
	}()
	if l.total, err = src.size(); err != nil {
		return err
	}
	if real, err := l.prepare(ctx); err != nil || !real {
		return err
	}
	if finished, err := l.start(ctx); err != nil || finished {
		return err
	}
	if l.rejects, err = openRejects(l.options.RejectFile, l.ledger != nil && l.ledger.resumes); err != nil {
		return err
	}
	defer func() {
		if e := l.rejects.close(); err == nil {
			err = e
		}
	}()
	defer l.reporting()()
	if err := l.work(ctx, src); err != nil {
		return err
	}
	return l.account(ctx)
}

// prepare looks the table up. real is false where the handle is a mock's.
func (l *loader) prepare(ctx context.Context) (real bool, err error) {
	l.result.Stored, err = l.look(ctx, statement(l.table, nil), func(ctx context.Context, c *driver.Conn) error {
		real = true
		if _, err := lookUp(ctx, c, l.table); err != nil || l.merge == nil {
			return err
		}
		return l.merge.lookUp(ctx, c)
	})
	return real, err
}

// look looks something up on a connection.
func (l *loader) look(ctx context.Context, shown string, fn func(context.Context, *driver.Conn) error) (n int64, err error) {
	err = l.again(ctx, func() (err error) {
		n, err = driver.Do(ctx, l.db, shown, func(ctx context.Context, c *driver.Conn) (int64, error) { return 0, fn(ctx, c) })
		return err
	})
	return n, err
}

// start begins the import, or empties the table. finished says that there is nothing to do.
func (l *loader) start(ctx context.Context) (finished bool, err error) {
	switch {
	case l.ledger != nil:
		err = l.again(ctx, func() (err error) {
			finished, err = l.ledger.begin(ctx)
			return err
		})
		if finished {
			l.result.Resumed = l.ledger.rows
		}
	case l.options.Truncate:
		err = l.again(ctx, func() error {
			_, err := l.db.ExecContext(ctx, "truncate "+l.table.String())
			return err
		})
	}
	return finished, err
}

// again does what may be done twice, as often as it has to be tried.
func (l *loader) again(ctx context.Context, do func() error) error {
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || ctx.Err() != nil || attempt > l.options.Retries || !isPassing(err) && !errors.Is(err, driver.ErrCommitUnknown) {
			return err
		}
		if err := l.retry(ctx, attempt); err != nil {
			return err
		}
	}
}

// retry counts an attempt that has failed, and pauses.
func (l *loader) retry(ctx context.Context, attempt int) error {
	l.mu.Lock()
	l.result.Retries++
	l.mu.Unlock()
	return pauseBefore(ctx, attempt, l.options.RetryDelay)
}

// work feeds the workers in this goroutine, and returns the first failure when all is at rest.
func (l *loader) work(parent context.Context, src Source) (err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	l.batches, l.spare = make(chan *batch), make(chan []byte, l.options.Workers)
	var running sync.WaitGroup
	for range l.options.Workers {
		running.Go(func() {
			for b := range l.batches {
				if err := l.load(ctx, b); err != nil {
					cancel(err)
				}
				l.recycle(b)
			}
		})
	}
	returned := false
	defer func() { // also when code of the user's panics
		if !returned {
			cancel(nil)
		}
		close(l.batches)
		running.Wait()
		if cause := context.Cause(ctx); returned && cause != nil {
			err = cause // of which err may be a consequence
			if ended := parent.Err(); ended != nil && cause == context.Cause(parent) && cause != ended {
				err = fmt.Errorf("%w: %w", ended, cause)
			}
		}
	}()
	err = src.feed(ctx, l)
	returned = true
	return err
}

// give hands a batch to a worker.
func (l *loader) give(ctx context.Context, b *batch) error {
	b.begun, b.merged = make(chan struct{}), make(chan struct{})
	b.ahead, b.before = closed, closed
	if l.last != nil {
		b.ahead, b.before = l.last.begun, l.last.merged
	}
	l.last = b
	l.taken += b.span.rows
	select {
	case l.batches <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// recycle takes back the memory of a batch.
func (l *loader) recycle(b *batch) {
	b.release()
	if b.buffer != nil {
		select {
		case l.spare <- b.buffer[:0]:
		default:
		}
	}
}

// buffer is an empty buffer.
func (l *loader) buffer(size int) []byte {
	select {
	case b := <-l.spare:
		return b
	default:
		return make([]byte, 0, size)
	}
}

var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// rowsLeft is how many rows may still be read, -1 where there is no limit.
func (l *loader) rowsLeft() int64 {
	if l.options.Limit == 0 {
		return -1
	}
	return max(l.options.Limit-l.taken, 0)
}

func (l *loader) limitReached() bool { return l.rowsLeft() == 0 }

// adopt makes an input ready for the workers.
func (l *loader) adopt(in *input, options []string) error {
	if l.ledger != nil {
		in.done = l.ledger.done[in.ordinal]
	}
	into := l.table
	if l.merge != nil {
		var err error
		if in.stage, err = l.merge.stage(in.columns); err != nil {
			return err
		}
		into = in.stage.name
	}
	in.statement, in.into = statement(into, in.columns, options...), into.Name
	return nil
}

// resumed counts a batch that an earlier run has stored.
func (l *loader) resumed(b *batch) {
	l.taken += b.span.rows
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Resumed += b.span.rows
	l.moved += b.raw
	l.result.Bytes += b.raw
}

// passed counts bytes that no batch has: a header without rows, say.
func (l *loader) passed(n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.result.Bytes += n
}

// stored counts a batch that this run has stored.
func (l *loader) stored(b *batch, out *outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &l.result
	r.Batches++
	r.Read += b.span.rows
	r.Stored += out.stored
	r.Skipped += out.skipped
	r.Rejected += int64(len(out.rejected))
	r.Bytes += b.raw
	if l.options.OnBad == BadCollect {
		r.Rejects = append(r.Rejects, out.rejected[:min(len(out.rejected), keptRejects-len(r.Rejects))]...)
	}
	l.log.Debug("copyin: batch stored", "table", l.table.String(), "source", b.in.name, "row", b.first, "rows", b.span.rows,
		"stored", out.stored, "skipped", out.skipped, "rejected", len(out.rejected), "bytes", b.bytes)
}

// tooMany is the error of so many further bad rows, nil where they are allowed.
func (l *loader) tooMany(further int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if most := l.options.MaxBad; most > 0 && l.result.Rejected+further > most {
		return fmt.Errorf("%w: more than %d", ErrTooManyBad, most)
	}
	return nil
}

// account compares what was read with what was done.
func (l *loader) account(ctx context.Context) error {
	r := &l.result
	if l.ledger != nil {
		if err := l.again(ctx, func() error { return l.ledger.finish(ctx, l.taken, l.options.Limit > 0) }); err != nil {
			return err
		}
	}
	if err := l.tooMany(0); err != nil {
		return err
	}
	if done := r.Stored + r.Skipped + r.Rejected; !l.options.NoRowCheck && (done != r.Read || r.Read+r.Resumed != l.taken) {
		return fmt.Errorf("%w: %d read, %d of earlier runs; %d stored, %d skipped, %d rejected", ErrRowCount, r.Read, r.Resumed, r.Stored, r.Skipped, r.Rejected)
	}
	return nil
}
