package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// VacuumOptions are the options of [Vacuum]. The zero value is a plain VACUUM of all tables of the database.
type VacuumOptions struct {
	Tables  []string // none are all that the user may vacuum
	Columns []string // that Analyze looks at, of the only table
	Only    bool     // the tables without those that inherit from them (PostgreSQL 18)

	Full    bool // write the tables anew, under a lock that keeps everybody out
	Freeze  bool
	Analyze bool // gather statistics too

	SkipLocked          bool   // leave out tables that cannot be locked at once
	DisablePageSkipping bool   // look at every page
	IndexCleanup        *bool  // nil lets PostgreSQL decide
	Truncate            *bool  // give empty pages at the end back to the system; nil is the table's setting
	Parallel            *int   // workers for the indexes; 0 is none, nil lets PostgreSQL decide
	NoToast             bool   // leave out the TOAST tables
	NoMain              bool   // vacuum the TOAST tables only (PostgreSQL 16)
	SkipDatabaseStats   bool   // leave the database's oldest transaction ids as they are (PostgreSQL 16)
	OnlyDatabaseStats   bool   // do nothing but that (PostgreSQL 16)
	BufferUsageLimit    string // of the buffer cache, "4 MB" (PostgreSQL 16)

	// Verbose gets what VACUUM tells about each table, under the rules of ext.WithNotices.
	Verbose func(driver.Notice)
}

// Vacuum reclaims the room of dead rows. It cannot run inside a transaction: a *sql.Tx does not compile, and a *sql.Conn inside
// one is ext.ErrInTransaction. Options that are newer than the server are an error that says so.
func Vacuum(ctx context.Context, q ext.OutsideTx, o VacuumOptions) error {
	text, err := vacuumText(o)
	if err == nil {
		err = maintain(ctx, q, text, o.needs(), o.Verbose)
	}
	return maintenanceError("vacuum", missingOf(ctx, q, o.Tables, err))
}

func vacuumText(o VacuumOptions) (string, error) {
	var w optionList
	w.flag(o.Full, "full")
	w.flag(o.Freeze, "freeze")
	w.flag(o.Verbose != nil, "verbose")
	w.flag(o.Analyze, "analyze")
	w.flag(o.DisablePageSkipping, "disable_page_skipping")
	w.flag(o.SkipLocked, "skip_locked")
	w.choice(o.IndexCleanup, "index_cleanup")
	w.flag(o.NoMain, "process_main off")
	w.flag(o.NoToast, "process_toast off")
	w.choice(o.Truncate, "truncate")
	if o.Parallel != nil {
		w.add("parallel " + strconv.Itoa(*o.Parallel))
	}
	w.flag(o.SkipDatabaseStats, "skip_database_stats")
	w.flag(o.OnlyDatabaseStats, "only_database_stats")
	w.size(o.BufferUsageLimit, "buffer_usage_limit")
	if len(o.Columns) > 0 && !o.Analyze {
		return "", errors.New("columns are for Analyze")
	}
	tables, err := tableList(o.Tables, o.Columns, o.Only)
	if err == nil {
		err = w.err
	}
	return "vacuum" + w.String() + tables, err
}

func (o VacuumOptions) needs() []newerOption {
	return []newerOption{
		{o.Only, "Only", 18},
		{o.NoMain, "NoMain", 16},
		{o.SkipDatabaseStats, "SkipDatabaseStats", 16},
		{o.OnlyDatabaseStats, "OnlyDatabaseStats", 16},
		{o.BufferUsageLimit != "", "BufferUsageLimit", 16},
	}
}

// AnalyzeOptions are the options of [Analyze]. The zero value is an ANALYZE of all tables of the database.
type AnalyzeOptions struct {
	Tables           []string // none are all that the user may analyze
	Columns          []string // of the only table
	Only             bool     // the tables without those that inherit from them (PostgreSQL 18)
	SkipLocked       bool     // leave out tables that cannot be locked at once
	BufferUsageLimit string   // of the buffer cache, "4 MB" (PostgreSQL 16)

	// Verbose gets what ANALYZE tells about each table, under the rules of ext.WithNotices.
	Verbose func(driver.Notice)
}

// Analyze gathers the statistics that the planner goes by. It may run inside a transaction.
func Analyze(ctx context.Context, q ext.Querier, o AnalyzeOptions) error {
	text, err := analyzeText(o)
	if err == nil {
		err = checkNewer(ctx, q, []newerOption{{o.Only, "Only", 18}, {o.BufferUsageLimit != "", "BufferUsageLimit", 16}})
	}
	if err == nil {
		err = run(withNotices(ctx, o.Verbose), q, text)
	}
	return maintenanceError("analyze", missingOf(ctx, q, o.Tables, err))
}

func analyzeText(o AnalyzeOptions) (string, error) {
	var w optionList
	w.flag(o.Verbose != nil, "verbose")
	w.flag(o.SkipLocked, "skip_locked")
	w.size(o.BufferUsageLimit, "buffer_usage_limit")
	tables, err := tableList(o.Tables, o.Columns, o.Only)
	if err == nil {
		err = w.err
	}
	return "analyze" + w.String() + tables, err
}

// tableList is the end of VACUUM and ANALYZE.
func tableList(tables, columns []string, only bool) (string, error) {
	switch {
	case len(columns) > 0 && len(tables) != 1:
		return "", fmt.Errorf("columns belong to one table, and there are %d", len(tables))
	case len(tables) == 0 && only:
		return "", errors.New("option Only needs tables")
	case len(tables) == 0:
		return "", nil
	}
	text, err := list(tables, func(table string) (string, error) {
		quoted, err := relation(table)
		if only {
			quoted = "only " + quoted
		}
		return quoted, err
	})
	if err == nil && len(columns) > 0 {
		var quoted string
		quoted, err = names("column", columns)
		text += " (" + quoted + ")"
	}
	return " " + text, err
}

// optionList builds the options in parentheses of a maintenance statement.
type optionList struct {
	words []string
	err   error
}

func (w *optionList) add(word string) { w.words = append(w.words, word) }

func (w *optionList) flag(on bool, word string) {
	if on {
		w.add(word)
	}
}

func (w *optionList) choice(on *bool, word string) {
	if on != nil {
		w.add(word + map[bool]string{true: " on", false: " off"}[*on])
	}
}

func (w *optionList) size(value, word string) {
	if value == "" {
		return
	}
	quoted, err := literal(value)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.add(word + " " + quoted)
}

func (w *optionList) String() string {
	if len(w.words) == 0 {
		return ""
	}
	return " (" + strings.Join(w.words, ", ") + ")"
}
