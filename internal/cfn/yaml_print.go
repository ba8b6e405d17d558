package cfn

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// YAML prints n as YAML that people can read and that every YAML parser reads alike: block style, long-form intrinsics,
// strings in quotes where they could be taken for something else, and text of several lines as block scalars.
func (n *Node) YAML() []byte {
	p := &printer{}
	if n.isBlock() {
		p.block(n, 0)
	} else {
		p.inline(n, 0)
	}
	return p.out.Bytes()
}

type printer struct{ out bytes.Buffer }

// isBlock reports whether n goes onto lines of its own.
func (n *Node) isBlock() bool {
	return n != nil && (n.Kind == List && len(n.Items) > 0 || n.Kind == Map && len(n.Pairs) > 0)
}

func (p *printer) indent(depth int) { p.out.WriteString(strings.Repeat("  ", depth)) }

// block prints the entries of a list or map, each beginning a line.
func (p *printer) block(n *Node, depth int) {
	for i, item := range n.Items {
		if i > 0 {
			p.indent(depth)
		}
		p.out.WriteString("- ")
		p.entry(item, depth+1)
	}
	for i, pair := range n.Pairs {
		if i > 0 {
			p.indent(depth)
		}
		p.out.WriteString(scalarYAML(pair.Key))
		p.out.WriteString(":")
		p.value(pair.Value, depth)
	}
}

// entry prints a list's item; a map or list begins on the line of its dash.
func (p *printer) entry(n *Node, depth int) {
	if n.isBlock() {
		p.block(n, depth)
		return
	}
	p.inline(n, depth)
}

// value prints what follows a key; a map or list begins on the next line, a list as far in as its key.
func (p *printer) value(n *Node, depth int) {
	switch {
	case !n.isBlock():
		p.out.WriteByte(' ')
		p.inline(n, depth+1)
	case n.Kind == List:
		p.out.WriteByte('\n')
		p.indent(depth)
		p.block(n, depth)
	default:
		p.out.WriteByte('\n')
		p.indent(depth + 1)
		p.block(n, depth+1)
	}
}

// inline prints a scalar, or an empty list or map, and ends the line.
func (p *printer) inline(n *Node, depth int) {
	switch {
	case n.IsNull():
		p.out.WriteString("null")
	case n.Kind == List:
		p.out.WriteString("[]")
	case n.Kind == Map:
		p.out.WriteString("{}")
	case n.Kind != String:
		p.out.WriteString(numberYAML(n))
	case blockScalar(n.Text):
		p.literal(n.Text, depth)
		return
	default:
		p.out.WriteString(scalarYAML(n.Text))
	}
	p.out.WriteByte('\n')
}

// numberYAML is a number or boolean such that YAML reads the same kind again: JSON's 1e3 would be a string.
func numberYAML(n *Node) string {
	if again := resolve(n.Text); again.Kind == n.Kind && again.Text == n.Text {
		return n.Text
	}
	if n.Kind == Float {
		mantissa, exponent, ok := strings.Cut(strings.ToLower(n.Text), "e")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		if ok && exponent[0] != '+' && exponent[0] != '-' {
			exponent = "+" + exponent
		}
		if ok {
			mantissa += "e" + exponent
		}
		return mantissa
	}
	return n.Text
}

// blockScalar reports whether text reads best as a literal block, and can be one: printable, several lines, and neither space
// nor line feeds where the block would lose them.
func blockScalar(text string) bool {
	body := strings.TrimSuffix(text, "\n")
	if !strings.Contains(body, "\n") || strings.HasSuffix(body, "\n") || strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\n") {
		return false
	}
	for line := range strings.SplitSeq(body, "\n") {
		if strings.HasSuffix(line, " ") || strings.TrimSpace(line) == "" && line != "" {
			return false
		}
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !plainRune(r) })
}

func plainRune(r rune) bool { return r != utf8.RuneError && r != '\ufeff' && unicode.IsPrint(r) }

func (p *printer) literal(text string, depth int) {
	p.out.WriteString("|")
	if !strings.HasSuffix(text, "\n") {
		p.out.WriteString("-")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		p.out.WriteByte('\n')
		if line != "" {
			p.indent(max(depth, 1))
			p.out.WriteString(line)
		}
	}
	p.out.WriteByte('\n')
}

// scalarYAML is a string as a plain scalar if it can only be read as that string, else in quotes.
func scalarYAML(text string) string {
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return !plainRune(r) }) || !utf8.ValidString(text):
		return quotedYAML(text)
	case isPlainYAML(text):
		return text
	default:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
}

func isPlainYAML(text string) bool {
	if text == "" || resolve(text).Kind != String || strings.TrimSpace(text) != text {
		return false
	}
	if strings.ContainsRune("-?:,[]{}#&*!|>'\"%@`=<", rune(text[0])) || strings.HasSuffix(text, ":") {
		return false
	}
	// Other parsers take dates, numbers with an exponent, and y and n, for what they are not.
	if (text[0] >= '0' && text[0] <= '9' || text[0] == '.' || text[0] == '+') || len(text) == 1 && strings.ContainsAny(text, "yYnN") {
		return false
	}
	return !strings.Contains(text, ": ") && !strings.Contains(text, " #")
}

func quotedYAML(text string) string {
	var w jsonWriter
	w.text(text)
	out := string(w.out)
	for _, r := range []rune{'\u0085', '\u007f', '\ufeff'} { // what YAML wants escaped and JSON does not
		out = strings.ReplaceAll(out, string(r), map[rune]string{'\u0085': `\u0085`, '\u007f': `\u007f`, '\ufeff': `\ufeff`}[r])
	}
	return escapeUnprintable(out)
}

// escapeUnprintable writes other characters that cannot be shown by their number.
func escapeUnprintable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) || r == ' ' {
			b.WriteRune(r)
			continue
		}
		const hex = "0123456789abcdef"
		b.WriteString(`\U`)
		for shift := 28; shift >= 0; shift -= 4 {
			b.WriteByte(hex[r>>shift&15])
		}
	}
	return b.String()
}
