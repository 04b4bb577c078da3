package main

import (
	"errors"
	"slices"
	"testing"
	"time"
)

func TestReadingsVisitEveryZoneEveryHour(t *testing.T) {
	t.Parallel()
	zones := []zone{{Name: "a"}, {Name: "b"}}
	var got []string
	for r := range readings(zones, 5) {
		got = append(got, r.at.Format("15:04 ")+r.zone)
	}
	want := []string{"00:00 a", "00:00 b", "01:00 a", "01:00 b", "02:00 a"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInBatchesHandsOverEveryReadingOnce(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		n     int
		sizes []int
	}{
		{"none", 0, nil},
		{"less than a batch", 7, []int{7}},
		{"full batches", 2 * batchSize, []int{batchSize, batchSize}},
		{"a rest", batchSize + 1, []int{batchSize, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sizes []int
			var times []time.Time
			err := inBatches(readings([]zone{{}}, tt.n), func(b *batch) error {
				sizes = append(sizes, len(b.times))
				times = append(times, b.times...)
				b.clear()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(sizes, tt.sizes) {
				t.Errorf("batches of %v, want %v", sizes, tt.sizes)
			}
			for i, at := range times {
				if want := firstReading.Add(time.Duration(i) * time.Hour); !at.Equal(want) {
					t.Fatalf("reading %d is of %v, want %v", i, at, want)
				}
			}
		})
	}
}

func TestInBatchesStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	calls, broken := 0, errors.New("broken")
	err := inBatches(readings([]zone{{}}, 3*batchSize), func(*batch) error {
		calls++
		return broken
	})
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("error %v after %d calls, want %v after 1", err, calls, broken)
	}
}
