"""Sends an image in the form of a Python client, with a field before it, and prints the answer: main.py CLIENT URL FILE"""

import asyncio
import sys

NAME = 'photo "ü".jpg'


def with_requests(url, image):
    import requests

    return requests.post(url, data={"top": "2"}, files={"image": (NAME, image, "image/jpeg")}).text


def with_httpx(url, image):
    import httpx

    return httpx.post(url, data={"top": "2"}, files={"image": (NAME, image, "image/jpeg")}).text


def with_aiohttp(url, image):
    import aiohttp

    async def send():
        form = aiohttp.FormData()
        form.add_field("top", "2")
        form.add_field("image", image, filename=NAME, content_type="image/jpeg")
        async with aiohttp.ClientSession() as session, session.post(url, data=form) as answer:
            return await answer.text()

    return asyncio.run(send())


def main():
    client, url, path = sys.argv[1:]
    with open(path, "rb") as file:
        print(globals()[f"with_{client}"](url, file.read()))


main()
