package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Format is the form of a dump.
type Format string

// The formats of pg_dump.
const (
	Custom    Format = "custom"    // one compressed file, for pg_restore: the default
	Directory Format = "directory" // a folder with a file for each table, which can be written and read in parallel
	Tar       Format = "tar"       // one file, not compressed, for pg_restore
	Plain     Format = "plain"     // SQL text, for psql
)

// headLen is how much of a file shows its format.
const headLen = 263

// Detect tells the format of a dump by its content; the name does not count. gzipped reports SQL text that is compressed.
// What is no archive of pg_dump is taken for SQL text; a compressed file of another kind is an error.
func Detect(path string) (format Format, gzipped bool, err error) {
	format, gzipped, err = detectPath(path)
	if err != nil {
		return "", false, fmt.Errorf("backup: %w", err)
	}
	return format, gzipped, nil
}

func detectPath(path string) (format Format, gzipped bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", false, err
	}
	if info.IsDir() {
		head, err := readHead(filepath.Join(path, "toc.dat"))
		if err != nil || !bytes.HasPrefix(head, magicCustom) {
			return "", false, fmt.Errorf("the folder %q is not a dump: it has no table of contents, toc.dat", path)
		}
		return Directory, false, nil
	}
	head, err := readHead(path)
	if err != nil {
		return "", false, err
	}
	if format, gzipped, err = detect(head); err != nil {
		return "", false, fmt.Errorf("%q: %w", path, err)
	}
	return format, gzipped, nil
}

func readHead(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrInvalid}
	}
	head := make([]byte, headLen)
	n, err := io.ReadFull(f, head)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return head[:n], err
}

var magicCustom = []byte("PGDMP")

// others are compressed files that psql cannot read.
var others = []struct{ magic, name string }{
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"\x04\x22\x4d\x18", "lz4"},
	{"\xfd7zXZ\x00", "xz"},
	{"BZh", "bzip2"},
	{"PK\x03\x04", "zip"},
}

func detect(head []byte) (format Format, gzipped bool, err error) {
	switch {
	case len(head) == 0:
		return "", false, errors.New("a dump that is empty")
	case bytes.HasPrefix(head, magicCustom):
		return Custom, false, nil
	case len(head) > 262 && string(head[257:262]) == "ustar" && bytes.HasPrefix(head, []byte("toc.dat\x00")):
		return Tar, false, nil
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return "", false, fmt.Errorf("a tar file, but none that pg_dump made: it does not begin with toc.dat")
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return Plain, true, nil
	}
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			return "", false, fmt.Errorf("a file that %s has compressed: decompress it first", o.name)
		}
	}
	return Plain, false, nil
}
