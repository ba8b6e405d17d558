package vtl

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// call calls a method of a value.
func (r *run) call(v any, name string, args []any) (any, error) {
	var out any
	var err error
	switch v := v.(type) {
	case Object:
		out, err = v.Call(name, args)
	case string:
		out, err = callString(v, name, args)
		if s, ok := out.(string); ok {
			r.size += len(s)
		}
	case *List:
		out, err = callList(v, name, args)
	case *Map:
		out, err = callMap(v, name, args)
	default:
		out, err = callNumber(v, name, args)
	}
	if err == ErrNoMethod {
		return nil, fmt.Errorf("method %s with %d arguments is not there", name, len(args))
	}
	if err == nil && r.size > maxOutput {
		err = fmt.Errorf("the template makes more than %d bytes", maxOutput)
	}
	return out, err
}

// callNumber calls a method of a number, or of true and false, which have toString. Java's static methods are reached through any
// number: #set($Integer = 0)$Integer.parseInt("1").
func callNumber(v any, name string, args []any) (any, error) {
	f, isNumber := float(v)
	switch {
	case name == "toString" && len(args) == 0:
		return Text(v), nil
	case !isNumber:
	case (name == "intValue" || name == "longValue") && len(args) == 0:
		return int64(f), nil
	case name == "doubleValue" && len(args) == 0:
		return f, nil
	case (name == "parseInt" || name == "parseLong") && len(args) == 1:
		n, err := strconv.ParseInt(Text(args[0]), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a whole number", name, Text(args[0]))
		}
		return n, nil
	case name == "parseDouble" && len(args) == 1:
		n, err := strconv.ParseFloat(Text(args[0]), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a number", name, Text(args[0]))
		}
		return n, nil
	}
	return nil, ErrNoMethod
}

func callString(s, name string, args []any) (any, error) {
	switch len(args) {
	case 0:
		switch name {
		case "length":
			return int64(len([]rune(s))), nil
		case "isEmpty":
			return s == "", nil
		case "toString":
			return s, nil
		case "trim":
			return strings.TrimSpace(s), nil
		case "toUpperCase":
			return strings.ToUpper(s), nil
		case "toLowerCase":
			return strings.ToLower(s), nil
		}
	case 1:
		return callString1(s, name, args[0])
	case 2:
		return callString2(s, name, args)
	}
	return nil, ErrNoMethod
}

func callString1(s, name string, arg any) (any, error) {
	a := Text(arg)
	switch name {
	case "equals":
		return s == a && arg != nil, nil
	case "equalsIgnoreCase":
		return strings.EqualFold(s, a), nil
	case "contains":
		return strings.Contains(s, a), nil
	case "startsWith":
		return strings.HasPrefix(s, a), nil
	case "endsWith":
		return strings.HasSuffix(s, a), nil
	case "concat":
		return s + a, nil
	case "indexOf":
		return characters(s, strings.Index(s, a)), nil
	case "lastIndexOf":
		return characters(s, strings.LastIndex(s, a)), nil
	case "substring":
		return substring(s, arg, nil)
	case "charAt":
		i, _ := arg.(int64)
		return substring(s, i, i+1)
	case "matches":
		re, err := regexp.Compile("^(?:" + a + ")$")
		if err != nil {
			return nil, fmt.Errorf("matches: %w", err)
		}
		return re.MatchString(s), nil
	case "split":
		re, err := regexp.Compile(a)
		if err != nil {
			return nil, fmt.Errorf("split: %w", err)
		}
		l := &List{}
		for _, part := range re.Split(s, -1) {
			l.Items = append(l.Items, part)
		}
		for n := len(l.Items); n > 1 && l.Items[n-1] == ""; n-- { // as Java does
			l.Items = l.Items[:n-1]
		}
		return l, nil
	}
	return nil, ErrNoMethod
}

func callString2(s, name string, args []any) (any, error) {
	a, b := Text(args[0]), Text(args[1])
	switch name {
	case "substring":
		return substring(s, args[0], args[1])
	case "replace":
		if len(a) == 0 && len(s)*len(b) > maxOutput {
			return nil, fmt.Errorf("replace makes more than %d bytes", maxOutput)
		}
		return strings.ReplaceAll(s, a, b), nil
	case "replaceAll", "replaceFirst":
		re, err := regexp.Compile(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if len(s)*len(b) > maxOutput {
			return nil, fmt.Errorf("%s makes more than %d bytes", name, maxOutput)
		}
		b = regexp.MustCompile(`\$(\d+)`).ReplaceAllString(strings.ReplaceAll(b, `\\`, `\`), `$${$1}`)
		if name == "replaceAll" {
			return re.ReplaceAllString(s, b), nil
		}
		if at := re.FindStringSubmatchIndex(s); at != nil {
			return s[:at[0]] + string(re.ExpandString(nil, b, s, at)) + s[at[1]:], nil
		}
		return s, nil
	}
	return nil, ErrNoMethod
}

// characters turns an index of bytes into one of characters; -1 stays.
func characters(s string, at int) int64 {
	if at < 0 {
		return -1
	}
	return int64(len([]rune(s[:at])))
}

func substring(s string, from, to any) (any, error) {
	r := []rune(s)
	i, ok := from.(int64)
	j := int64(len(r))
	if to != nil {
		j, _ = to.(int64)
	}
	if !ok || i < 0 || j > int64(len(r)) || i > j {
		return nil, fmt.Errorf("substring %s to %s of a string of %d characters", Text(from), Text(to), len(r))
	}
	return string(r[i:j]), nil
}

func callList(l *List, name string, args []any) (any, error) {
	switch {
	case name == "size" && len(args) == 0:
		return int64(len(l.Items)), nil
	case name == "isEmpty" && len(args) == 0:
		return len(l.Items) == 0, nil
	case name == "toString" && len(args) == 0:
		return Text(l), nil
	case name == "get" && len(args) == 1:
		return child(l, Text(args[0])), nil
	case name == "contains" && len(args) == 1:
		for _, x := range l.Items {
			if equal(x, args[0]) {
				return true, nil
			}
		}
		return false, nil
	case name == "add" && len(args) == 1:
		l.Items = append(l.Items, args[0])
		return true, nil
	case name == "addAll" && len(args) == 1:
		if more, ok := args[0].(*List); ok && len(l.Items)+len(more.Items) < maxSteps {
			l.Items = append(l.Items, more.Items...)
			return true, nil
		}
		return false, nil
	case name == "set" && len(args) == 2:
		old := child(l, Text(args[0]))
		return old, assign(l, args[0], args[1])
	}
	return nil, ErrNoMethod
}

func callMap(m *Map, name string, args []any) (any, error) {
	switch {
	case name == "size" && len(args) == 0:
		return int64(len(m.keys)), nil
	case name == "isEmpty" && len(args) == 0:
		return len(m.keys) == 0, nil
	case name == "toString" && len(args) == 0:
		return Text(m), nil
	case (name == "keySet" || name == "values" || name == "entrySet") && len(args) == 0:
		l := &List{Items: []any{}}
		for _, k := range m.keys {
			switch name {
			case "keySet":
				l.Items = append(l.Items, k)
			case "values":
				l.Items = append(l.Items, m.values[k])
			default:
				l.Items = append(l.Items, NewMap("key", k, "value", m.values[k]))
			}
		}
		return l, nil
	case name == "get" && len(args) == 1:
		return m.values[Text(args[0])], nil
	case name == "containsKey" && len(args) == 1:
		_, ok := m.values[Text(args[0])]
		return ok, nil
	case name == "remove" && len(args) == 1:
		return m.remove(Text(args[0])), nil
	case name == "put" && len(args) == 2:
		old := m.values[Text(args[0])]
		m.Put(Text(args[0]), args[1])
		return old, nil
	case name == "putAll" && len(args) == 1:
		if more, ok := args[0].(*Map); ok {
			for _, k := range more.keys {
				m.Put(k, more.values[k])
			}
		}
		return nil, nil
	case (name == "getKey" || name == "getValue") && len(args) == 0:
		return m.values[strings.ToLower(name[3:])], nil
	}
	return nil, ErrNoMethod
}
