package copyin

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// barWidth is that of the bar alone.
const barWidth = 30

// ProgressBar is a function for LoadOptions.Progress that shows a bar on w: on a terminal one line that is drawn again and
// again, elsewhere a line for each tenth of the load, or for each call where its size is not known. Errors of w are not reported.
func ProgressBar(w io.Writer) func(Progress) {
	if isTerminal(w) {
		return drawBar(w)
	}
	tenths := 0
	return func(p Progress) {
		share, known := p.Share()
		if now := int(10 * share); p.Done || !known || now > tenths {
			tenths = now
			io.WriteString(w, barLine(p)+"\n")
		}
	}
}

// drawBar draws the bar over itself.
func drawBar(w io.Writer) func(Progress) {
	width := 0
	return func(p Progress) {
		line := barLine(p)
		blanks := strings.Repeat(" ", max(0, width-len(line)))
		width = len(line)
		end := ""
		if p.Done {
			end = "\n"
		}
		io.WriteString(w, "\r"+line+blanks+end)
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// barLine is "[#####.....]  50 %  1234567 rows  45678 rows/s  12.3 MB/s  12s left".
func barLine(p Progress) string {
	var parts []string
	if share, ok := p.Share(); ok {
		full := int(share * barWidth)
		parts = append(parts, fmt.Sprintf("[%s%s] %3.0f %%", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), 100*share))
	}
	parts = append(parts, fmt.Sprintf("%d rows", p.Rows), fmt.Sprintf("%.0f rows/s", p.RowsPerSecond), fmt.Sprintf("%.1f MB/s", p.BytesPerSecond/1e6))
	if p.Rejected > 0 {
		parts = append(parts, fmt.Sprintf("%d rejected", p.Rejected))
	}
	switch {
	case p.Done:
		parts = append(parts, fmt.Sprintf("in %s", p.Elapsed.Round(time.Millisecond)))
	case p.ETA > 0:
		parts = append(parts, fmt.Sprintf("%s left", max(p.ETA.Round(time.Second), time.Second)))
	}
	return strings.Join(parts, "  ")
}
