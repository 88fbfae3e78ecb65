package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ticksPerSecond is Linux's USER_HZ, the unit of the times in /proc/PID/stat on every architecture.
const ticksPerSecond = 100

// Groups names processes whose CPU time is added up together.
type Groups map[string][]int

// parseGroups reads "store=12+13+14,pd=15".
func parseGroups(text string) (Groups, error) {
	groups := Groups{}
	if text == "" {
		return groups, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, pids, found := strings.Cut(part, "=")
		if !found {
			return nil, fmt.Errorf("-cpu %q is no name=pid", part)
		}
		for pid := range strings.SplitSeq(pids, "+") {
			number, err := strconv.Atoi(pid)
			if err != nil {
				return nil, fmt.Errorf("-cpu %q: %w", part, err)
			}
			groups[name] = append(groups[name], number)
		}
	}
	return groups, nil
}

// Seconds is the CPU time, user and system, that each group has taken since its processes started.
func (groups Groups) Seconds() (map[string]float64, error) {
	sums := map[string]float64{}
	for name, pids := range groups {
		for _, pid := range pids {
			seconds, err := processSeconds(pid)
			if err != nil {
				return nil, err
			}
			sums[name] += seconds
		}
	}
	return sums, nil
}

func processSeconds(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field is the command in parentheses and may hold spaces: count after its end.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const utime, stime = 11, 12
	var ticks int
	for _, field := range [][]byte{fields[utime], fields[stime]} {
		number, err := strconv.Atoi(string(field))
		if err != nil {
			return 0, err
		}
		ticks += number
	}
	return float64(ticks) / ticksPerSecond, nil
}

func ownSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	total := syscall.TimevalToNsec(usage.Utime) + syscall.TimevalToNsec(usage.Stime)
	return float64(total) / 1e9
}
