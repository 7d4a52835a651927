// Sends an image in the form of Go's mime/multipart, with a field before it, and prints the answer: main.go URL FILE
package main

import (
	"bytes"
	"io"
	"log"
	"mime/multipart"
	"net/http"
	"os"
)

func main() {
	image, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	body := new(bytes.Buffer)
	form := multipart.NewWriter(body)
	if err := form.WriteField("top", "2"); err != nil {
		log.Fatal(err)
	}
	part, err := form.CreateFormFile("image", "photo \"ü\".jpg")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := part.Write(image); err != nil {
		log.Fatal(err)
	}
	if err := form.Close(); err != nil {
		log.Fatal(err)
	}
	answer, err := http.Post(os.Args[1], form.FormDataContentType(), body)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
		log.Fatal(err)
	}
}
