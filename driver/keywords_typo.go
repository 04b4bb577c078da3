package driver

import "strings"

// misspelt returns the key that an unknown one probably means, "" for a name that stands on its own. No run-time
// parameter that a client may set comes this close to a key.
func misspelt(key string) string {
	name := strings.ToLower(key)
	if strings.Contains(name, ".") {
		return ""
	}
	best, bestDistance := "", 3
	for i := range keywords {
		if d := editDistance(name, keywords[i].name, bestDistance); d < bestDistance {
			best, bestDistance = keywords[i].name, d
		}
	}
	return best
}

// editDistance counts the characters to insert, delete or replace, or swap with their neighbour; limit ends it early.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
