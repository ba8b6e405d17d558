// Package argv answers: what does a command line in SAM CLI's forms mean to a flag parser of Go's kind?
//
// SAM CLI takes lists that swallow the words after them (--capabilities A B), short options of two letters (-cd DIR), and a
// --no- twin for almost every switch. [Normalize] writes such a line in the one form that pflag understands.
package argv

import (
	"strings"

	"github.com/spf13/pflag"
)

// List marks a flag that takes all words up to the next option. Flags are marked with MarkList.
const List = "evo_list"

// Alias names a flag's two-letter short option.
const Alias = "evo_alias"

// MarkList makes the named flags of fs take all words up to the next option.
func MarkList(fs *pflag.FlagSet, names ...string) {
	for _, name := range names {
		// The error is for a flag that does not exist, which is a mistake in this program.
		if err := fs.SetAnnotation(name, List, []string{"true"}); err != nil {
			panic(err)
		}
	}
}

// MarkAlias gives the named flag a short option of two letters.
func MarkAlias(fs *pflag.FlagSet, name, alias string) {
	if err := fs.SetAnnotation(name, Alias, []string{alias}); err != nil {
		panic(err)
	}
}

// Normalize rewrites args, the words after the command's own, for the flags of fs. Words that it does not know stay as they
// are, so that the parser can complain about them.
func Normalize(fs *pflag.FlagSet, args []string) []string {
	aliases := map[string]string{}
	fs.VisitAll(func(f *pflag.Flag) {
		if a := f.Annotations[Alias]; len(a) > 0 {
			aliases["-"+a[0]] = f.Name
		}
	})
	var out []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			return append(out, args[i:]...)
		}
		f, value, hasValue := find(fs, aliases, word)
		switch {
		case f == nil:
			out = append(out, word)
		case len(f.Annotations[List]) > 0:
			var words []string
			if hasValue {
				words = append(words, value)
			}
			for i+1 < len(args) && !isOption(args[i+1]) {
				i++
				words = append(words, args[i])
			}
			out = append(out, repeat(f.Name, words)...)
		case hasValue:
			out = append(out, "--"+f.Name+"="+value)
		case f.NoOptDefVal != "":
			out = append(out, "--"+f.Name)
		case i+1 < len(args):
			i++
			out = append(out, "--"+f.Name+"="+args[i])
		default:
			out = append(out, word)
		}
	}
	return out
}

// find returns the flag that a word names, and the value that it carries itself.
func find(fs *pflag.FlagSet, aliases map[string]string, word string) (f *pflag.Flag, value string, hasValue bool) {
	if !isOption(word) {
		return nil, "", false
	}
	if long, ok := strings.CutPrefix(word, "--"); ok {
		name, value, hasValue := strings.Cut(long, "=")
		if f := fs.Lookup(name); f != nil {
			return f, value, hasValue
		}
		if off, ok := strings.CutPrefix(name, "no-"); ok && !hasValue {
			if f := fs.Lookup(off); f != nil && f.Value.Type() == "bool" {
				return f, "false", true
			}
		}
		return nil, "", false
	}
	name, value, hasValue := strings.Cut(word, "=")
	if long, ok := aliases[name]; ok {
		return fs.Lookup(long), value, hasValue
	}
	if len(name) == 2 {
		return fs.ShorthandLookup(name[1:]), value, hasValue
	}
	return nil, "", false
}

// isOption reports whether a word is an option, and not a value such as a negative number or a lone dash for standard input.
func isOption(word string) bool {
	return len(word) > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9')
}

// repeat writes a list as the flag once for each of its words. One quoted word may hold several.
func repeat(name string, words []string) []string {
	var out []string
	for _, w := range words {
		for _, part := range Split(w) {
			out = append(out, "--"+name+"="+part)
		}
	}
	if len(out) == 0 {
		return []string{"--" + name}
	}
	return out
}

// Split splits a text at blanks as a shell does: quotes, single and double, keep blanks in a word, and go away when they
// stand around a whole word or a value (A="b c").
func Split(s string) []string {
	var words []string
	var word strings.Builder
	var quote rune
	started := false
	for _, r := range s {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, started = r, true
		case r == ' ' || r == '\t' || r == '\n':
			if started {
				words = append(words, word.String())
				word.Reset()
			}
			started = false
		default:
			word.WriteRune(r)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}
