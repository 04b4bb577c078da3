package main

import "slices"

// median is the middle of values, 0 without any. It leaves them in their order.
func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// medianExcess is the median of what values are above base, round by round: what disturbs a whole round drops out.
func medianExcess(values, base []float64) float64 {
	n := min(len(values), len(base))
	excess := make([]float64, n)
	for i := range n {
		excess[i] = values[i] - base[i]
	}
	return median(excess)
}

// ratio is a/b, 0 where there is no b to compare with.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
