package main

import (
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{4, 1, 100, 2}, 3},
	} {
		before := slices.Clone(tt.values)
		if got := median(tt.values); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", before, got, tt.want)
		}
		if !slices.Equal(tt.values, before) {
			t.Errorf("median changed %v to %v", before, tt.values)
		}
	}
}

func TestMedianExcessPairsRounds(t *testing.T) {
	t.Parallel()
	base := []float64{10, 50, 12} // the second round was disturbed
	values := []float64{11, 52, 15}
	if got := medianExcess(values, base); got != 2 {
		t.Errorf("medianExcess = %v, want 2", got)
	}
}

func TestRatioOfNothing(t *testing.T) {
	t.Parallel()
	if got := ratio(1, 0); got != 0 {
		t.Errorf("ratio(1, 0) = %v, want 0", got)
	}
	if got := ratio(1, 4); got != 0.25 {
		t.Errorf("ratio(1, 4) = %v, want 0.25", got)
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	values := make([]float64, 101)
	for i := range values {
		values[i] = float64(100 - i)
	}
	for percent, want := range map[int]float64{0: 0, 50: 50, 99: 99, 100: 100} {
		if got := percentile(values, percent); got != want {
			t.Errorf("%d%%: %v", percent, got)
		}
	}
	if got := percentile(nil, 50); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
