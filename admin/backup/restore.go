package backup

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// RestoreOptions say what is restored, and where from. The zero value, with a Path or a Reader, restores all of a dump and stops
// at the first error.
type RestoreOptions struct {
	// Path is a dump of any format, which is told by its content: an archive is restored by pg_restore, SQL text,
	// also compressed by gzip, by psql.
	Path string
	// Reader gives the dump instead, but for the directory format. An error of it undoes a restore that is one transaction. A Read
	// that blocks is not waited for when the program has ended.
	Reader io.Reader

	// SingleTransaction restores all or nothing. nil is yes for SQL text and no for archives. SQL text that creates a database, or
	// has other statements that PostgreSQL refuses in a transaction, needs no.
	SingleTransaction *bool

	// The options from here to Args are for archives; SQL text has them in itself, and they are refused.

	Jobs            int  // tables and indexes at a time, from a Path in the custom or directory format
	ContinueOnError bool // go on behind errors, which are a *ToolError at the end all the same

	Clean        bool // drop what will be created
	IfExists     bool // with Clean: no error where there is nothing to drop
	Create       bool // create the database of the dump's name, and restore into that
	SchemaOnly   bool
	DataOnly     bool
	NoOwner      bool // what is restored belongs to the user that restores
	NoPrivileges bool

	// Tables restores these tables, with their rows and without their indexes and constraints, as pg_restore does. Their names are
	// as ext.ParseName takes them; those with a schema must all be of one. Schemas restores what is in these schemas.
	Tables         []string
	Schemas        []string
	ExcludeSchemas []string

	Role string   // to act as, after connecting
	Args []string // more options of pg_restore, in their long form with "=": "--section=pre-data"

	// Progress gets each line that the program says about its work, warnings too, on the goroutine of the call. Of psql these are the
	// command tags.
	Progress func(line string)

	Config     *driver.Config // how to connect, in place of the handle's own settings
	ToolFolder string         // where pg_restore or psql is; "" looks for it
}

// Restore restores a dump into the database that q leads to, by pg_restore or psql. SQL text can do whatever psql can,
// run programs too: restore what you trust. A dump that was cut short is an error, io.ErrUnexpectedEOF where Restore reads it; SQL
// text without pg_dump's first and last comment can be known for cut only within a statement.
func Restore(ctx context.Context, q ext.Querier, opts RestoreOptions) error {
	in, err := openInput(opts)
	if err != nil {
		return fmt.Errorf("backup: restore: %w", err)
	}
	defer in.close()
	name := "pg_restore"
	if in.format == Plain {
		name = "psql"
	}
	var args []string
	if err = opts.check(in.format); err == nil && in.format == Plain {
		args = opts.psqlArgs()
	}
	if err != nil {
		return fmt.Errorf("backup: restore: %w", err)
	}
	s, err := settingsOf(ctx, q, opts.Config)
	if err != nil {
		return fmt.Errorf("backup: restore: %w", err)
	}
	if in.format != Plain {
		if args, err = opts.args(s.attempt.Database, in.path); err != nil {
			return fmt.Errorf("backup: restore: %w", err)
		}
	}
	tool, err := FindTool(ctx, name, opts.ToolFolder, s.server)
	if err != nil {
		return err
	}
	err = s.run(ctx, process{tool: tool, args: args, stdin: in.reader, progress: opts.Progress})
	var failed *ToolError
	if errors.As(err, &failed) && strings.Contains(failed.Stderr, "unsupported version (") {
		return fmt.Errorf("backup: %w: a newer pg_dump than %s %s (%s) has made the archive: %w", ErrToolVersion, tool.Name, tool.Version, tool.Path, err)
	}
	return err
}

// input is a dump to be read.
type input struct {
	format Format
	path   string    // of an archive
	reader io.Reader // in place of the path
	closes []io.Closer
}

func (in *input) close() {
	for _, c := range in.closes {
		c.Close()
	}
}

// openInput finds out what the dump is. An archive's path is left to pg_restore; all else is read here.
func openInput(o RestoreOptions) (*input, error) {
	switch {
	case (o.Path == "") == (o.Reader == nil):
		return nil, errors.New("give either a Path or a Reader")
	case o.Path == "":
		if f, ok := o.Reader.(*os.File); ok {
			return openFile(f)
		}
		return openReader(o.Reader)
	}
	format, _, err := detectPath(o.Path)
	if err != nil {
		return nil, err
	}
	if format != Plain {
		path, err := filepath.Abs(o.Path) // which begins with no dash
		return &input{format: format, path: path}, err
	}
	f, err := os.Open(o.Path)
	if err != nil {
		return nil, err
	}
	in, err := openReader(f)
	if err != nil {
		f.Close()
		return nil, err
	}
	in.closes = append(in.closes, f)
	return in, nil
}

// openFile leaves a file in the custom format to pg_restore, which can move about in it then.
func openFile(f *os.File) (*input, error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return openReader(f) // a pipe
	}
	in, err := openReader(f)
	if err != nil || in.format == Plain || len(in.closes) > 0 {
		return in, err
	}
	in.reader = f
	_, err = f.Seek(at, io.SeekStart)
	return in, err
}

// openReader tells the format by the first bytes.
func openReader(r io.Reader) (*input, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(headLen)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read the dump: %w", err)
	}
	format, gzipped, err := detect(head)
	if err != nil {
		return nil, err
	}
	switch {
	case format == Plain && !gzipped:
		return &input{format: Plain, reader: wholeText(head, buffered)}, nil
	case !gzipped:
		return &input{format: format, reader: buffered}, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		return nil, err
	}
	inner, err := openReader(unzipped)
	if err != nil {
		return nil, err
	}
	inner.closes = append(inner.closes, unzipped)
	return inner, nil
}

// check finds what the program would refuse, or ignore.
func (o RestoreOptions) check(format Format) error {
	single := o.SingleTransaction != nil && *o.SingleTransaction
	archive := format != Plain
	refused := func(is bool, name string) error {
		if !archive && is {
			return fmt.Errorf("%s is for archives: SQL text has it in itself", name)
		}
		return nil
	}
	for _, err := range []error{
		refused(o.Jobs > 1, "Jobs"), refused(o.ContinueOnError, "ContinueOnError"), refused(o.Clean, "Clean"), refused(o.IfExists, "IfExists"),
		refused(o.Create, "Create"), refused(o.SchemaOnly, "SchemaOnly"), refused(o.DataOnly, "DataOnly"), refused(o.NoOwner, "NoOwner"),
		refused(o.NoPrivileges, "NoPrivileges"), refused(len(o.Tables) > 0, "Tables"), refused(len(o.Schemas) > 0, "Schemas"),
		refused(len(o.ExcludeSchemas) > 0, "ExcludeSchemas"), refused(o.Role != "", "Role"), refused(len(o.Args) > 0, "Args"),
	} {
		if err != nil {
			return err
		}
	}
	for _, c := range []struct {
		wrong bool
		text  string
	}{
		{o.Jobs < 0, fmt.Sprintf("%d jobs", o.Jobs)},
		{o.Jobs > 1 && o.Path == "", "Jobs needs a Path: a stream is read once"},
		{o.Jobs > 1 && format == Tar, "Jobs needs the custom or the directory format"},
		{o.Jobs > 1 && single, "SingleTransaction is one connection: it excludes Jobs"},
		{o.Create && single, "a database is not created in a transaction: SingleTransaction excludes Create"},
		{o.ContinueOnError && single, "SingleTransaction ends with the first error: it excludes ContinueOnError"},
		{o.SchemaOnly && o.DataOnly, "SchemaOnly and DataOnly exclude each other"},
		{o.DataOnly && o.Clean, "Clean and DataOnly exclude each other"},
		{o.IfExists && !o.Clean, "IfExists needs Clean"},
	} {
		if c.wrong {
			return errors.New(c.text)
		}
	}
	return nil
}
