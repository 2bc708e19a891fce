// Command conformance drives a running Headwater server the way the official clients do and says what each example found.
// To add an example: write a func(*trial) in the file of its subject and name it in examples.go.
package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"headwater/conformance/goclient"
)

type example struct {
	name string
	run  func(*trial)
}

// outcome is printed as a line, or as a JSON object with -json. Result is ok, FAIL or skip.
type outcome struct {
	Name   string `json:"name"`
	Result string `json:"result"`
	Why    string `json:"why,omitempty"`
}

func main() {
	base := flag.String("base", os.Getenv("STREAM_BASE_URL"), "base URL of the server (or STREAM_BASE_URL)")
	key := flag.String("key", os.Getenv("STREAM_API_KEY"), "API key of a throw-away app (or STREAM_API_KEY)")
	secretFlag := flag.String("secret", "", "its secret (or STREAM_API_SECRET)")
	run := flag.String("run", "", "suffix of every user id of this run (default: random)")
	only := flag.String("only", "", "run only the examples whose name begins with this")
	asJSON := flag.Bool("json", false, "print each outcome as a JSON object")
	flag.Parse()
	secret := *secretFlag
	if secret == "" {
		secret = os.Getenv("STREAM_API_SECRET")
	}
	if *base == "" || *key == "" || secret == "" {
		fmt.Fprintln(os.Stderr, "error: -base, -key and -secret are all needed\nhint: `headwater serve` prints them on its first start")
		os.Exit(2)
	}
	if *run == "" {
		*run = randomSuffix()
	}

	passed, failed := 0, 0
	for number, example := range examples {
		if !strings.HasPrefix(example.name, *only) {
			continue
		}
		trial := &trial{client: goclient.New(*base, *key, secret), run: *run, number: number}
		result := trial.judge(example)
		report(result, *asJSON)
		switch result.Result {
		case "ok":
			passed++
		case "FAIL":
			failed++
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 || passed == 0 {
		os.Exit(1)
	}
}

func report(result outcome, asJSON bool) {
	switch {
	case asJSON:
		line, _ := json.Marshal(result) // strings always encode
		fmt.Println(string(line))
	case result.Result == "ok":
		fmt.Printf("ok  %s\n", result.Name)
	default:
		fmt.Printf("%s %s: %s\n", result.Result, result.Name, result.Why)
	}
}

func randomSuffix() string {
	suffix := make([]byte, 5)
	if _, err := rand.Read(suffix); err != nil {
		panic(err) // the machine has no source of random numbers
	}
	return hex.EncodeToString(suffix)
}
