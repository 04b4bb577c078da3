package copyin

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pycopg/pycopg/driver"
)

// BadRow says what becomes of a row that cannot be stored.
type BadRow int

// What becomes of it.
const (
	BadStop    BadRow = iota // it ends the load with a *[RowError]; batches that are stored stay
	BadSkip                  // it is left out, counted and, with RejectFile, kept there
	BadCollect               // and it is in LoadResult.Rejects as well
)

// Conflict says what becomes of a row whose key the table has already.
type Conflict int

// What becomes of it.
const (
	ConflictBad     Conflict = iota // it is a bad row
	ConflictNothing                 // the row in the table stays as it is
	ConflictUpdate                  // the row in the table takes the values of the new one
)

// LoadOptions say how [Load] works. The zero value loads all rows, in batches of their own transactions, and stops at the first
// row that cannot be stored.
type LoadOptions struct {
	Workers    int   // batches that are loaded at a time; 0: one for each processor, 4 at most
	BatchRows  int   // the most rows of a batch; 0 is 100 000
	BatchBytes int   // the size of a batch, which may be exceeded by one row; 0 is 8 MiB
	Limit      int64 // the most rows that are read; 0 is all
	Truncate   bool  // empty the table first, once: not when an import is resumed

	// OnConflict sends the rows through a temporary table. ConflictColumns are those of the unique index that is meant,
	// nil the primary key's, or for ConflictNothing any. UpdateColumns are set by ConflictUpdate, nil for all others that are filled.
	//
	// Of several rows with one key, the last one stays with ConflictUpdate, whose batches are merged in the order of the
	// input; with ConflictNothing and several workers it may be any of them.
	OnConflict      Conflict
	ConflictColumns []string
	UpdateColumns   []string

	// OnBad says what becomes of a row that cannot be stored. With BadSkip and BadCollect a batch that has one is loaded in
	// parts. RejectFile names a file for the rows that are left out, as they were read, behind a header where the input has one,
	// ready to be mended and loaded; RejectFile with ".log" has a line for each that says why. Rows of a sequence are there
	// in COPY's text format. A row is there before its batch is stored: after a crash it may be there twice.
	OnBad      BadRow
	RejectFile string
	MaxBad     int64 // more bad rows than this end the load with [ErrTooManyBad]; 0: no limit

	// Retries is how often a batch, or a step ahead of them all, is tried again after a failure that passes: a lost connection, a restart or lack of
	// connections of the server, a deadlock, a serialization failure. 0 is 10, negative none. RetryDelay is the first pause,
	// 0 is 100 ms; each further one is twice as long, up to 5 seconds, and by chance up to a half shorter.
	Retries    int
	RetryDelay time.Duration

	// ImportID, with any text, makes the load one that can be run again after a crash: what it has stored is in a table, the
	// ledger, written in the transactions that store it, so that a further run stores the rest, and none twice. The input
	// must be the same then, which is checked for CSV; a sequence has to give the same rows in the same order. Sizes and workers may
	// differ. Of two runs at a time the later one goes on, the other fails with [ErrTakenOver]. A run of a finished import does
	// nothing. Ledger names the table, which is made where it does not exist; "" is "copyin_ledger".
	ImportID string
	Ledger   string

	Settings   map[string]string // run-time parameters of the transactions, as SET LOCAL sets them
	NoRowCheck bool              // do not compare counts: the table has triggers that leave rows out

	// Progress is called from one goroutine at a time, every ProgressEvery (0 is a second) and at the end. It must not take
	// long. [ProgressBar] makes one.
	Progress      func(Progress)
	ProgressEvery time.Duration
	ExpectedRows  int64        // what a sequence will give, for the progress; 0: not known
	Logger        *slog.Logger // batches at debug level, retries and bad rows as warnings; nil: silent
}

// LoadResult is what a load has done.
type LoadResult struct {
	Read     int64 // rows of the input, without those of Resumed
	Stored   int64 // rows that were inserted, or updated
	Skipped  int64 // rows that OnConflict left out: the table has them, or a later row of the batch has the same key
	Rejected int64 // bad rows that were left out
	Resumed  int64 // rows that earlier runs of the import have dealt with
	Batches  int64
	Retries  int64
	Bytes    int64 // of the input, as it is stored; of a sequence, as it was sent
	Elapsed  time.Duration

	Rejects []Rejected // of BadCollect, the first thousand that were met, by their sources and rows
}

// Rejected is a row that was left out.
type Rejected struct {
	Source string // the name of its file; "" for others
	Record string // as it was read, without its line end; of a sequence, in COPY's text format
	Err    *RowError
}

// Sentinels of [Load].
var (
	// ErrTooManyBad is the error of a load that has more bad rows than LoadOptions.MaxBad.
	ErrTooManyBad = errors.New("too many bad rows")
	// ErrTakenOver is the error of a load whose import another run has begun to load.
	ErrTakenOver = errors.New("another run has taken this import over")
	// ErrRowCount is the error of a load whose rows are not all accounted for.
	ErrRowCount = errors.New("the counts of rows differ")
)

// Load copies a source into a table, in batches that several connections of the pool load at a time, each in a transaction of its
// own. So it is not all or nothing: what is stored when it fails stays, and is in the result, which counts whether or not there
// is an error; an import (see LoadOptions.ImportID) goes on where it stopped.
//
// Batches are handed out in the order of the input, so that rows which belong together arrive at about the same time.
// Memory is bounded by Workers+2 times BatchBytes, and a little. The count of each batch is compared with the server's; a
// commit whose answer was lost is looked into, never repeated by guess.
//
// A row that cannot be stored is a *[RowError] with the line of its file (its first) or the number of the row; OnBad says what becomes of it. A reader or
// sequence of the user's runs in the goroutine of the caller and may use the pool; its error comes back unchanged, when what
// came before it is stored. A context that ends aborts what is under way.
func Load(ctx context.Context, db *sql.DB, table string, src Source, o LoadOptions) (LoadResult, error) {
	l, err := newLoader(db, table, o)
	if err == nil && src == nil {
		err = errNoSource
	}
	if err == nil {
		err = l.run(driver.WithNativePlaceholders(ctx), src)
	}
	if err == nil {
		return l.result, nil
	}
	var foreign *foreignError
	if errors.As(err, &foreign) {
		return l.result, foreign.err
	}
	return l.result, fmt.Errorf("copyin: load into table %q: %w", table, err)
}

const (
	defaultBatchRows  = 100_000
	defaultBatchBytes = 8 << 20
	defaultRetries    = 10
	defaultRetryDelay = 100 * time.Millisecond
	maxRetryDelay     = 5 * time.Second
	maxWorkers        = 4
	keptRejects       = 1000
	longestRow        = 64 << 20 // unless BatchBytes is larger
)
