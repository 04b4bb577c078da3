package copyin

import (
	"sync"
	"time"
)

// Progress says how far a load is.
type Progress struct {
	Rows       int64 // of the input that are dealt with, those of earlier runs included
	TotalRows  int64 // LoadOptions.ExpectedRows; 0: not known
	Bytes      int64 // of the input that are dealt with, as it is stored (compressed, say)
	TotalBytes int64 // 0: not known
	Rejected   int64 // bad rows that were left out
	Batches    int64
	Retries    int64

	Elapsed        time.Duration
	RowsPerSecond  float64       // of this run, on average
	BytesPerSecond float64       // of this run, on average
	ETA            time.Duration // until the end at that rate; 0 where it cannot be told
	Done           bool          // the load has ended: this is the last call
}

// Share is how much is done, from 0 to 1. ok is false where that is not known.
func (p Progress) Share() (share float64, ok bool) {
	switch {
	case p.TotalBytes > 0:
		return min(float64(p.Bytes)/float64(p.TotalBytes), 1), true
	case p.TotalRows > 0:
		return min(float64(p.Rows)/float64(p.TotalRows), 1), true
	}
	return 0, false
}

// progress is the state of the load. from is what earlier runs have done.
func newProgress(r LoadResult, resumedBytes, totalBytes, totalRows int64, elapsed time.Duration, done bool) Progress {
	p := Progress{
		Rows: r.Resumed + r.Read, TotalRows: totalRows, Bytes: r.Bytes, TotalBytes: totalBytes, Rejected: r.Rejected,
		Batches: r.Batches, Retries: r.Retries, Elapsed: elapsed, Done: done,
	}
	seconds := elapsed.Seconds()
	if seconds <= 0 {
		return p
	}
	p.RowsPerSecond = float64(r.Read) / seconds
	p.BytesPerSecond = float64(r.Bytes-resumedBytes) / seconds
	left, rate := float64(totalBytes-p.Bytes), p.BytesPerSecond
	if totalBytes == 0 {
		left, rate = float64(totalRows-p.Rows), p.RowsPerSecond
	}
	if left > 0 && rate > 0 && !done {
		p.ETA = time.Duration(left / rate * float64(time.Second))
	}
	return p
}

// reporting calls Progress until the function that it returns is called, and a last time then.
func (l *loader) reporting() (end func()) {
	if l.options.Progress == nil {
		return func() {}
	}
	report := func(done bool) {
		l.mu.Lock()
		p := newProgress(l.result, l.moved, l.total, l.options.ExpectedRows, time.Since(l.begun), done)
		l.mu.Unlock()
		l.options.Progress(p)
	}
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(l.options.ProgressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				report(false)
			case <-stop:
				return
			}
		}
	})
	return func() {
		close(stop)
		running.Wait()
		report(true)
	}
}
