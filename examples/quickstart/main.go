// Command quickstart shows packages driver, ext, copyin, copyout, listen and admin at work on real data: the zone table of the
// public-domain tz database, and the elevation of the sun over each of its places.
//
// It starts a PostgreSQL server of its own and removes it at the end. With DATABASE_URL set it
// works on that server instead, in a schema that it drops at the end. Ctrl-C, or a reader
// of the output that goes away, ends it at any time and leaves nothing behind either.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(),
		os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	err := run(ctx, os.Stdout, os.Getenv("DATABASE_URL"))
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err == nil:
	case interrupted:
		fmt.Fprintln(os.Stderr, "quickstart: interrupted:", err)
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// steps are the chapters of the transcript, in order. Each stands in a file of its own.
var steps = []struct {
	title string
	run   func(context.Context, *session) error
}{
	{"Create tables and an index, from a struct and from columns", createTables},
	{"Load the zone table: a prepared statement in a transaction", loadZones},
	{"Load 100000 readings: COPY with a progress bar", loadReadings},
	{"Look at the tables: columns, indexes, sizes", describeTables},
	{"Query into Go values", queryValues},
	{"Export a query as CSV", exportCSV},
	{"Run a prepared statement many times", runPrepared},
	{"Explain a query", explainQuery},
	{"Commit a transaction, roll back another", commitAndRollBack},
	{"Structs out of a query and into a table", structsInAndOut},
	{"A composite type as a struct", readComposites},
	{"Insert or update", upsertCountries},
	{"Many statements in one round trip: a pipeline", runPipeline},
	{"Page through a cursor and change rows on the way", pageThroughCursor},
	{"Go back to a savepoint", rollBackToSavepoint},
	{"Meet an error and its SQLSTATE", meetError},
	{"Receive a notice from the server", receiveNotice},
	{"Listen, and notify", listenAndNotify},
	{"Cancel a query and keep the connection", cancelQuery},
}

// run writes the transcript to w. It works on the server of dsn, or on one of its own where dsn
// is empty, and has removed everything it made when it returns.
func run(ctx context.Context, w io.Writer, dsn string) (err error) {
	out := &transcript{w: w}
	s, err := open(ctx, out, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	for _, step := range steps {
		end := out.begin(step.title)
		if err := step.run(ctx, s); err != nil {
			if end := ctx.Err(); end != nil && !errors.Is(err, end) {
				err = fmt.Errorf("%w: %w", end, err) // database/sql was quicker to end the transaction, and says only that
			}
			return fmt.Errorf("%s: %w", step.title, err)
		}
		end()
	}
	return nil
}
