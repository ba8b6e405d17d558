package source

import "strings"

// Nearest finds the candidate that a person who typed word most likely meant. Letters in another case hardly count as a
// difference; a word that is too far from all candidates has none, and of equally near ones the first wins.
func Nearest(word string, candidates []string) (string, bool) {
	best, bestDistance := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if len(word) == 0 || len(word) > 200 || len(c) > 200 {
			continue
		}
		d := distance(strings.ToLower(word), strings.ToLower(c))
		if d < bestDistance && c != word {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
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
