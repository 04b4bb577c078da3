package ext

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pycopg/pycopg/driver"
)

// LogOptions are the options of [LogQueries]. The zero value logs each statement at level info, and no argument.
type LogOptions struct {
	Level         slog.Level    // of statements; those that fail are errors, slow ones warnings
	SlowThreshold time.Duration // only statements that take so long are logged, and those that fail; 0: all
	Args          bool          // log the arguments, and errors as they are, which may quote arguments
	MaxSQL        int           // bytes of a statement's text that are logged; 0 is 2048, negative all
}

// LogQueries returns a tracer, for the field Tracer of a driver.Config, that logs what a pool runs when it has ended:
// statements, prepared ones too, those of pipelines and batches, COPYs, and BEGIN, COMMIT and ROLLBACK of transactions. The
// message is "query" (or "prepare"); the attributes are sql, duration, tag, rows, and of a failure error and sqlstate.
//
// Arguments are not logged but by their number, unless LogOptions.Args says so; the text of an error that may quote one is left
// out then (SQLSTATE class 22, and whatever contains an argument's text). Literals in the text of a statement are logged as
// they are. A nil logger is slog.Default().
func LogQueries(logger *slog.Logger, o LogOptions) pgx.QueryTracer {
	switch {
	case o.MaxSQL == 0:
		o.MaxSQL = 2048
	case o.MaxSQL < 0:
		o.MaxSQL = 1 << 30
	}
	return &queryLogger{logger: logger, o: o}
}

// queryLogger is the tracer of LogQueries.
type queryLogger struct {
	logger *slog.Logger
	o      LogOptions
}

var (
	_ pgx.QueryTracer   = (*queryLogger)(nil)
	_ pgx.PrepareTracer = (*queryLogger)(nil)
)

type loggedKey struct{}

// loggedQuery is a statement that runs.
type loggedQuery struct {
	begun time.Time
	sql   string
	args  []any
}

// TraceQueryStart implements [pgx.QueryTracer].
func (l *queryLogger) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, loggedKey{}, &loggedQuery{time.Now(), data.SQL, data.Args})
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (l *queryLogger) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	l.log(ctx, "query", data.Err, slog.String("tag", data.CommandTag.String()), slog.Int64("rows", data.CommandTag.RowsAffected()))
}

// TracePrepareStart implements [pgx.PrepareTracer].
func (l *queryLogger) TracePrepareStart(ctx context.Context, _ *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	return context.WithValue(ctx, loggedKey{}, &loggedQuery{begun: time.Now(), sql: data.SQL})
}

// TracePrepareEnd implements [pgx.PrepareTracer].
func (l *queryLogger) TracePrepareEnd(ctx context.Context, _ *pgx.Conn, data pgx.TracePrepareEndData) {
	l.log(ctx, "prepare", data.Err)
}

func (l *queryLogger) log(ctx context.Context, message string, err error, done ...slog.Attr) {
	q, ok := ctx.Value(loggedKey{}).(*loggedQuery)
	if !ok {
		return
	}
	duration := time.Since(q.begun)
	level := l.o.Level
	switch slow := l.o.SlowThreshold; {
	case err != nil:
		level = slog.LevelError
	case duration < slow:
		return
	case slow > 0:
		level = max(level, slog.LevelWarn)
	}
	logger := orDefaultLogger(l.logger)
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{slog.String("sql", shortened(q.sql, l.o.MaxSQL)), slog.Duration("duration", duration)}
	switch {
	case l.o.Args && len(q.args) > 0:
		attrs = append(attrs, slog.Any("args", q.args))
	case len(q.args) > 0:
		attrs = append(attrs, slog.Int("args", len(q.args)))
	}
	if err == nil {
		attrs = append(attrs, done...)
	} else {
		attrs = append(attrs, l.failure(err, q.args)...)
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// failure tells of an error.
func (l *queryLogger) failure(err error, args []any) []slog.Attr {
	text, code := err.Error(), driver.SQLState(err)
	if !l.o.Args && (strings.HasPrefix(code, "22") || quotes(text, args)) {
		text = "(left out: it may quote an argument)"
	}
	attrs := []slog.Attr{slog.String("error", text)}
	if code != "" {
		attrs = append(attrs, slog.String("sqlstate", code))
	}
	return attrs
}

// quotes reports whether a text contains that of an argument; those of one or two bytes are in too many.
func quotes(text string, args []any) bool {
	for _, arg := range args {
		if b, ok := arg.([]byte); ok {
			arg = string(b)
		}
		if s := fmt.Sprint(arg); len(s) > 2 && strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// shortened cuts a text to some bytes.
func shortened(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
