// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Unpacks the CPython that the Go module carries into the folder named by the first argument.
package main

import (
	"fmt"
	"os"

	"github.com/kluctl/go-embed-python/python"
)

func main() {
	if _, err := python.NewEmbeddedPythonWithTmpDir(os.Args[1], false); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
