"""Telling people: WeChat messages, SMS, e-mail; each written with the data it is about and delivered afterwards."""
