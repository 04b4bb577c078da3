package copyin

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/pycopg/pycopg/internal/copyformat"
)

// rejectFile keeps the rows that are left out, and beside them why. A nil one keeps nothing.
type rejectFile struct {
	mu      sync.Mutex
	records *os.File
	reasons *os.File
	empty   bool // the records have no header yet
	known   bool // the layout of the first input
	names   []string
	csv     copyformat.CSV
}

// openRejects opens the files. Those of a load that is resumed are added to.
func openRejects(name string, resumes bool) (*rejectFile, error) {
	if name == "" {
		return nil, nil
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !resumes {
		mode |= os.O_TRUNC
	}
	f := &rejectFile{}
	var err error
	if f.records, err = os.OpenFile(name, mode, 0o666); err != nil {
		return nil, err
	}
	if f.reasons, err = os.OpenFile(name+".log", mode, 0o666); err != nil {
		f.records.Close()
		return nil, err
	}
	info, err := f.records.Stat()
	f.empty = err == nil && info.Size() == 0
	return f, err
}

// header tells the layout of an input: all have to have the same, as the file will have it.
func (f *rejectFile) header(in *input, names []string) error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.known {
		f.known, f.names, f.csv = true, names, in.csv
		return nil
	}
	if !slices.Equal(f.names, names) {
		return fmt.Errorf("the header is %q, that of the first file %q: they cannot have one RejectFile", names, f.names)
	}
	return nil
}

// write adds the rows that the transaction of a batch leaves out, before it is committed, but none twice.
func (f *rejectFile) write(b *batch, out *outcome) error {
	if f == nil || len(out.rejected) == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	records, reasons := bufio.NewWriter(f.records), bufio.NewWriter(f.reasons)
	if f.empty && f.names != nil {
		var fields [][]byte
		for _, name := range f.names {
			fields = append(fields, []byte(name))
		}
		records.Write(f.csv.AppendRow(nil, fields))
	}
	f.empty = false
	if b.noted == nil {
		b.noted = make(map[int64]bool)
	}
	for _, r := range out.rejected {
		if b.noted[r.Err.Row] {
			continue
		}
		b.noted[r.Err.Row] = true
		records.WriteString(r.Record + "\n")
		if r.Source != "" {
			reasons.WriteString(r.Source + ": ")
		}
		reasons.WriteString(r.Err.Error() + "\n")
	}
	if err := records.Flush(); err != nil {
		return err
	}
	return reasons.Flush()
}

func (f *rejectFile) close() error {
	if f == nil {
		return nil
	}
	err := f.records.Close()
	if e := f.reasons.Close(); err == nil {
		err = e
	}
	return err
}
