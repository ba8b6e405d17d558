package expression

type tokenKind byte

const (
	tokenEnd    tokenKind = iota
	tokenWord             // an attribute, a function or a keyword
	tokenName             // #name
	tokenValue            // :value
	tokenNumber           // an index into a list
	tokenSymbol           // an operator or a bracket
	tokenOther            // what no expression may hold
)

type token struct {
	kind tokenKind
	text string
	at   int // where in the expression it begins
}

func (t token) is(symbol string) bool { return t.kind == tokenSymbol && t.text == symbol }

// next returns the token at or after position i, and the position behind it.
func next(s string, i int) (token, int) {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	if i == len(s) {
		return token{tokenEnd, "<EOF>", i}, i
	}
	kind, end := classify(s, i)
	return token{kind, s[i:end], i}, end
}

func classify(s string, i int) (tokenKind, int) {
	c := s[i]
	switch {
	case letter(c):
		return tokenWord, run(s, i+1, wordPart)
	case digit(c):
		return tokenNumber, run(s, i+1, digit)
	case c == '#' || c == ':':
		end := run(s, i+1, wordPart)
		if end == i+1 {
			return tokenOther, end
		}
		if c == '#' {
			return tokenName, end
		}
		return tokenValue, end
	case c == '<' && i+1 < len(s) && (s[i+1] == '=' || s[i+1] == '>'), c == '>' && i+1 < len(s) && s[i+1] == '=':
		return tokenSymbol, i + 2
	}
	switch c {
	case '(', ')', '[', ']', ',', '.', '=', '<', '>', '+', '-':
		return tokenSymbol, i + 1
	}
	return tokenOther, i + 1
}

func run(s string, i int, part func(byte) bool) int {
	for i < len(s) && part(s[i]) {
		i++
	}
	return i
}

func letter(c byte) bool   { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func digit(c byte) bool    { return '0' <= c && c <= '9' }
func wordPart(c byte) bool { return letter(c) || digit(c) || c == '_' }
