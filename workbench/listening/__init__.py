"""Listening tests: who hears what in which order, ratings that survive, listeners who paid attention, and judges held against what people heard.

``design`` and ``plan`` say what each listener hears, ``preparing`` lays out the audio, ``session`` writes ratings and ``ratings`` reads them, ``exclusion``
says which listeners count, ``opinions`` and ``judged`` analyse, ``calibration`` fits judges to people.
"""
