package main

import (
	"bufio"
	"context"
	"os"
	"path/filepath"

	"github.com/pycopg/pycopg/copyout"
)

const queryLongDays = `
select zone, count(*) as hours, round(max(elevation)::numeric, 1) as highest
from   reading
where  at < $1 and elevation > 0
group  by zone
order  by hours desc, zone`

// shown is how many lines of the exported file are shown.
const shown = 4

// exportCSV writes the rows of a query to a file by COPY. The file is there when it is complete, or not at all.
func exportCSV(ctx context.Context, s *session) error {
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "daylight.csv")
	rows, err := copyout.CSVFile(ctx, s.db, copyout.Query(queryLongDays, firstReading.AddDate(0, 0, 1)), name, copyout.CSVOptions{})
	if err != nil {
		return err
	}
	s.out.line("wrote %d rows to %s; it begins", rows, filepath.Base(name))
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for range shown {
		if !lines.Scan() {
			break
		}
		s.out.line("  %s", lines.Text())
	}
	return lines.Err()
}
