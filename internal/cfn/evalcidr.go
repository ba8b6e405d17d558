package cfn

import (
	"math/big"
	"net/netip"

	"evo/internal/source"
)

const cidrUsage = "Template error: every Fn::Cidr object requires two or three parameters, (1) a CIDR block, (2) a count between 1 and 256 and (3) the number of subnet bits"

// callCidr divides an address block.
func (e *Evaluator) callCidr(arg, n *Node) (*Node, error) {
	if c := len(arg.List()); c != 2 && c != 3 {
		return nil, source.Errorf(n.Span, cidrUsage)
	}
	args, err := e.list(arg)
	if err != nil {
		return nil, err
	}
	if !Known(args) {
		return keep("Fn::Cidr", args, n), nil
	}
	block, _ := args.Items[0].Scalar()
	prefix, perr := netip.ParsePrefix(block)
	count, ok := args.Items[1].Int()
	bits := int64(8)
	if len(args.Items) == 3 {
		var bitsOK bool
		bits, bitsOK = args.Items[2].Int()
		ok = ok && bitsOK
	}
	if perr != nil || !ok || count < 1 || count > 256 || bits < 1 || bits > int64(prefix.Addr().BitLen()) {
		return nil, source.Errorf(n.Span, cidrUsage)
	}
	blocks, ok := divide(prefix, int(count), int(bits))
	if !ok {
		return nil, source.Errorf(n.Span, "Template error: Fn::Cidr cannot make %d blocks with %d subnet bits out of %s", count, bits, prefix)
	}
	return at(From(blocks), n), nil
}

// divide returns the first count blocks of prefix that have so many host bits.
func divide(prefix netip.Prefix, count, hostBits int) ([]string, bool) {
	length := prefix.Addr().BitLen() - hostBits
	if length < prefix.Bits() {
		return nil, false
	}
	if room := length - prefix.Bits(); room < 9 && 1<<room < count {
		return nil, false
	}
	base := new(big.Int).SetBytes(prefix.Masked().Addr().AsSlice())
	step := new(big.Int).Lsh(big.NewInt(1), uint(hostBits))
	var blocks []string
	for range count {
		raw := base.FillBytes(make([]byte, prefix.Addr().BitLen()/8))
		addr, _ := netip.AddrFromSlice(raw)
		blocks = append(blocks, netip.PrefixFrom(addr, length).String())
		base = new(big.Int).Add(base, step)
	}
	return blocks, true
}
