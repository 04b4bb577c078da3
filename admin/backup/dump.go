package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pycopg/pycopg/driver"
	"github.com/pycopg/pycopg/ext"
)

// DumpOptions say what is dumped, and where to. The zero value, with a Path or a Writer, is all of the database in the custom
// format.
type DumpOptions struct {
	// Path is the file or, for the directory format, the folder to make: readable by this user alone, and in its place
	// when it is complete. A file that exists is replaced then; a folder must be empty.
	Path string
	// Writer gets the dump instead, in any format but directory. Its Write is waited for.
	Writer io.Writer

	Format   Format // "" is Custom
	Jobs     int    // tables at a time, for the directory format: each is one more connection
	Compress string // 0 to 9, none, or from PostgreSQL 16 on gzip, lz4 or zstd, with a level: zstd:9. "" is pg_dump's default

	SchemaOnly bool // definitions and no rows
	DataOnly   bool // rows and no definitions

	// Tables and schemas to dump, all where there are none. A table's name is as ext.ParseName takes it, "users" or "app.users";
	// views, sequences and foreign tables count as tables. A schema is its name. What is not there is an error.
	Tables         []string
	ExcludeTables  []string
	ExcludeData    []string // tables that are dumped without their rows
	Schemas        []string
	ExcludeSchemas []string

	Clean        bool // with the plain format: commands that drop what they create
	IfExists     bool // with Clean: no error where there is nothing to drop
	Create       bool // with the plain format: create the database and connect to it
	NoOwner      bool // leave out who owns what
	NoPrivileges bool // leave out grants

	Role        string        // to act as, after connecting
	Snapshot    string        // of pg_export_snapshot(): the dump shows what that transaction sees
	LockTimeout time.Duration // for the locks on the tables; 0 waits
	Args        []string      // more options of pg_dump, in their long form with "=": "--section=pre-data"

	// Progress gets each line that pg_dump says about its work, warnings too, on the goroutine of the call.
	Progress func(line string)

	Config     *driver.Config // how to connect, in place of the handle's own settings
	ToolFolder string         // where pg_dump is; "" looks for it
}

// Dump writes the database that q leads to, by pg_dump. It returns when pg_dump has ended.
func Dump(ctx context.Context, q ext.Querier, opts DumpOptions) error {
	if err := opts.check(); err != nil {
		return fmt.Errorf("backup: dump: %w", err)
	}
	s, err := settingsOf(ctx, q, opts.Config)
	if err != nil {
		return fmt.Errorf("backup: dump: %w", err)
	}
	tool, err := FindTool(ctx, "pg_dump", opts.ToolFolder, s.server)
	if err != nil {
		return err
	}
	if tool.Major < s.server {
		return fmt.Errorf("backup: %w: pg_dump %s (%s) cannot dump PostgreSQL %d: install postgresql-client-%d, or name its folder in ToolFolder",
			ErrToolVersion, tool.Version, tool.Path, s.server, s.server)
	}
	if opts.Path == "" {
		return s.dump(ctx, tool, opts, "")
	}
	out, err := newOutput(opts.Path, opts.Format == Directory)
	if err != nil {
		return fmt.Errorf("backup: dump: %w", err)
	}
	defer out.abort()
	if err := s.dump(ctx, tool, opts, out.temp); err != nil {
		return err
	}
	if err := out.commit(); err != nil {
		return fmt.Errorf("backup: dump: %w", err)
	}
	return nil
}

func (s *settings) dump(ctx context.Context, tool Tool, opts DumpOptions, path string) error {
	args, err := opts.args(tool.Major, path)
	if err != nil {
		return fmt.Errorf("backup: dump: %w", err)
	}
	return s.run(ctx, process{tool: tool, args: args, stdout: opts.Writer, progress: opts.Progress})
}

// check finds what pg_dump would refuse, or take for something else.
func (o *DumpOptions) check() error {
	if o.Format == "" {
		o.Format = Custom
	}
	plainOnly := o.Clean || o.Create
	for _, c := range []struct {
		wrong bool
		text  string
	}{
		{(o.Path == "") == (o.Writer == nil), "give either a Path or a Writer"},
		{o.Format != Custom && o.Format != Directory && o.Format != Tar && o.Format != Plain, fmt.Sprintf("format %q: custom, directory, tar or plain", o.Format)},
		{o.Format == Directory && o.Writer != nil, "the directory format needs a Path"},
		{o.Jobs < 0, fmt.Sprintf("%d jobs", o.Jobs)},
		{o.Jobs > 1 && o.Format != Directory, "Jobs needs the directory format"},
		{o.Format == Tar && o.Compress != "", "the tar format is not compressed"},
		{o.SchemaOnly && o.DataOnly, "SchemaOnly and DataOnly exclude each other"},
		{plainOnly && o.Format != Plain, "Clean and Create are for the plain format: for others they are options of Restore"},
		{o.IfExists && !o.Clean, "IfExists needs Clean"},
		{o.LockTimeout < 0, fmt.Sprintf("LockTimeout %v", o.LockTimeout)},
	} {
		if c.wrong {
			return errors.New(c.text)
		}
	}
	return nil
}
