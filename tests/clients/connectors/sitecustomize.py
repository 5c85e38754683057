"""Moves the requests of a connector from HubSpot's host to `TIDEMARK`. Python imports this module when it starts."""

import os

import requests

HUBSPOT = "https://api.hubapi.com"
send = requests.Session.send


def send_to_tidemark(session, request, **more):
    request.url = request.url.replace(HUBSPOT, os.environ["TIDEMARK"], 1)
    return send(session, request, **more)


requests.Session.send = send_to_tidemark
