package backup

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestWholeText(t *testing.T) {
	t.Parallel()
	const (
		dump    = "--\n-- PostgreSQL database dump\n--\n\nselect 1;\n--\n-- PostgreSQL database dump complete\n--\n\n"
		cluster = "--\n-- PostgreSQL database cluster dump\n--\n\n" + dump + "--\n-- PostgreSQL database cluster dump complete\n--\n\n"
	)
	for _, text := range []string{dump, cluster, dump + "select 'more';", strings.ReplaceAll(dump, "\n", "\r\n")} {
		first, _, _ := strings.Cut(text[4:], "\n")
		end := strings.Index(text, strings.TrimRight(first, "\r")+" complete") + len(strings.TrimRight(first, "\r")+" complete")
		for cut := strings.Index(text, "select"); cut <= len(text); cut++ {
			for name, slow := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "half": iotest.HalfReader, "with EOF": iotest.DataErrReader,
			} {
				got, err := io.ReadAll(wholeText([]byte(text[:cut]), slow(strings.NewReader(text[:cut]))))
				if string(got) != text[:cut] || errors.Is(err, io.ErrUnexpectedEOF) != (cut < end) || cut >= end && err != nil {
					t.Fatalf("%q, %s: %q, %v", text[:cut], name, got, err)
				}
			}
		}
	}
	for _, text := range []string{"", "--", "--\n", "select 1;", "-- PostgreSQL database dump\n--\n", "--\n-- a dump\n--\n", "--\n-- PostgreSQL database dump"} {
		if got, err := io.ReadAll(wholeText([]byte(text), strings.NewReader(text))); string(got) != text || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
