package cloudformation

import "sync"

// schedule runs work for every id, each after those it needs, as many at a time as limit. After the first failure onFailure is
// called and nothing more is begun; without an onFailure, only what needs the failed is not. It returns the failures.
func schedule(order []string, needs map[string][]string, limit int, work func(id string) error, onFailure func()) map[string]error {
	waits := map[string]int{} // how many it still needs
	users := map[string][]string{}
	listed := map[string]bool{}
	for _, id := range order {
		listed[id] = true
	}
	for _, id := range order {
		for _, need := range needs[id] {
			if listed[need] && need != id {
				waits[id]++
				users[need] = append(users[need], id)
			}
		}
	}
	type outcome struct {
		id  string
		err error
	}
	outcomes := make(chan outcome)
	failures := map[string]error{}
	begun := map[string]bool{}
	running := 0
	var wg sync.WaitGroup
	for {
		for _, id := range order {
			if (len(failures) == 0 || onFailure == nil) && running < limit && !begun[id] && waits[id] == 0 {
				begun[id] = true
				running++
				wg.Go(func() { outcomes <- outcome{id, work(id)} })
			}
		}
		if running == 0 {
			break
		}
		o := <-outcomes
		running--
		if o.err != nil {
			if failures[o.id] = o.err; len(failures) == 1 && onFailure != nil {
				onFailure()
			}
			continue
		}
		for _, u := range users[o.id] {
			waits[u]--
		}
	}
	wg.Wait()
	return failures
}

// reversed turns needs around: what is made last is deleted first.
func reversed(order []string, needs map[string][]string) ([]string, map[string][]string) {
	back := make([]string, 0, len(order))
	for i := len(order) - 1; i >= 0; i-- {
		back = append(back, order[i])
	}
	users := map[string][]string{}
	for _, id := range order {
		for _, need := range needs[id] {
			users[need] = append(users[need], id)
		}
	}
	return back, users
}
