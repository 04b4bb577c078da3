package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// output is a file or folder that is written beside its place, and moved there when it is complete.
type output struct {
	path string // its place
	temp string
}

// newOutput makes an empty file or folder that only this user can read.
func newOutput(path string, folder bool) (*output, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case folder:
		if err := checkEmpty(path); err != nil {
			return nil, err
		}
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%q is no regular file: use Writer", path)
	}
	if err == nil { // a link stays one
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	o := &output{path: path}
	pattern := "." + filepath.Base(path) + ".*.tmp"
	if folder {
		o.temp, err = os.MkdirTemp(filepath.Dir(path), pattern)
		return o, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), pattern)
	if err != nil {
		return nil, err
	}
	o.temp = f.Name()
	return o, f.Close()
}

func checkEmpty(path string) error {
	entries, err := os.ReadDir(path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("the folder %q is not empty", path)
	}
	return err
}

// commit moves the output to its place.
func (o *output) commit() error {
	if err := os.Rename(o.temp, o.path); err != nil {
		if os.Remove(o.path) != nil || os.Rename(o.temp, o.path) != nil { // an empty folder in the way, on some systems
			return err
		}
	}
	if dir, err := os.Open(filepath.Dir(o.path)); err == nil {
		dir.Sync() // not every system can
		dir.Close()
	}
	return nil
}

// abort removes what commit has not moved.
func (o *output) abort() { os.RemoveAll(o.temp) }
